// A prepared statement of SQLite.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "store/connection.h"

namespace cmpost {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class SqliteStatement final : public Statement {
 public:
  // `path` names the database in errors and must outlive the statement.
  SqliteStatement(StatementPtr statement, const std::string& path)
      : statement_(std::move(statement)), path_(path) {}

  void bind(int index, std::int64_t value) override;
  void bind(int index, std::string_view text) override;
  void bind(int index, ByteView blob) override;
  void bind_null(int index) override;
  Result<bool> step() override;
  Result<std::int64_t> execute() override;
  void reset() override;

  bool is_null(int column) const override;
  std::int64_t integer(int column) const override;
  std::string_view text(int column) const override;
  ByteView blob(int column) const override;
  int parameters() const override { return sqlite3_bind_parameter_count(statement_.get()); }
  int columns() const override { return sqlite3_column_count(statement_.get()); }

 private:
  void note(int code);

  StatementPtr statement_;
  const std::string& path_;
  int bind_error_ = SQLITE_OK;  // reported by the next step()
};

}  // namespace cmpost
