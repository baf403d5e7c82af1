// A view on a connection that somebody else owns.
#pragma once

#include "store/connection.h"

namespace cmpost {

// For who reads what a transaction has written so far: on its connection, in its thread. Does not
// outlive it.
class BorrowedConnection final : public Connection {
 public:
  explicit BorrowedConnection(Connection& owner) : owner_(owner) {}

  Result<Statement*> statement(std::string_view sql) override { return owner_.statement(sql); }
  Result<void> execute(const std::string& sql) override { return owner_.execute(sql); }
  Result<void> begin() override { return owner_.begin(); }
  Result<void> commit() override { return owner_.commit(); }
  void rollback() override { owner_.rollback(); }
  bool in_transaction() const override { return owner_.in_transaction(); }
  Result<void> begin_read() override { return owner_.begin_read(); }
  std::int64_t last_insert_id() override { return owner_.last_insert_id(); }
  Result<void> check_place() const override { return owner_.check_place(); }
  std::int64_t log_size() const override { return owner_.log_size(); }
  void write_ahead() override { owner_.write_ahead(); }
  Result<bool> checkpoint() override { return owner_.checkpoint(); }

 private:
  Connection& owner_;
};

}  // namespace cmpost
