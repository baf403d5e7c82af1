// A write transaction that cannot be forgotten.
#pragma once

#include "store/connection.h"

namespace cmpost {

// Begins; rolls back at the end of its scope unless commit() was called.
//   DatabaseTransaction transaction(connection);
//   TRY(transaction.begin());
//   ...
//   return transaction.commit();
class DatabaseTransaction {
 public:
  explicit DatabaseTransaction(Connection& connection) : connection_(connection) {}
  ~DatabaseTransaction() {
    if (open_) connection_.rollback();
  }
  DatabaseTransaction(const DatabaseTransaction&) = delete;
  DatabaseTransaction& operator=(const DatabaseTransaction&) = delete;

  Result<void> begin() {
    auto begun = connection_.begin();
    open_ = begun.has_value();
    return begun;
  }
  // As begin, on a snapshot that is only read.
  Result<void> begin_read() {
    auto begun = connection_.begin_read();
    open_ = begun.has_value();
    return begun;
  }
  Result<void> commit() {
    open_ = false;
    return connection_.commit();
  }

 private:
  Connection& connection_;
  bool open_ = false;
};

}  // namespace cmpost
