#include "store/sqlite_statement.h"

#include <cerrno>

#include "store/sqlite_error.h"

namespace cmpost {

// A wrong index, or a bind between two steps, is a mistake of ours; a text that is too large or a
// lack of memory belongs to the world and has to wait for the step.
void SqliteStatement::note(int code) {
  CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE);
  if (code != SQLITE_OK) bind_error_ = code;
}

void SqliteStatement::bind(int index, std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), index, value));
}

// A null pointer would bind NULL, and an empty view may have one.
void SqliteStatement::bind(int index, std::string_view text) {
  note(sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::bind(int index, ByteView blob) {
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  note(sqlite3_bind_blob64(statement_.get(), index, data, blob.size(), SQLITE_STATIC));
}

void SqliteStatement::bind_null(int index) { note(sqlite3_bind_null(statement_.get(), index)); }

Result<bool> SqliteStatement::step() {
  errno = 0;
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto error = sqlite_error(sqlite3_db_handle(statement_.get()), code, "using database", path_);
  reset();
  return failure(std::move(error));
}

Result<std::int64_t> SqliteStatement::execute() {
  auto* database = sqlite3_db_handle(statement_.get());
  const auto before = sqlite3_total_changes64(database);
  ASSIGN_OR_RETURN(const bool row, step());
  // Counted by difference: sqlite3_changes() keeps the number of an earlier statement when this
  // one is no INSERT, UPDATE or DELETE.
  const auto changed =
      sqlite3_total_changes64(database) == before ? 0 : sqlite3_changes64(database);
  reset();
  CHECK(!row);
  return changed;
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

ByteView SqliteStatement::blob(int column) const {
  const auto* data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace cmpost
