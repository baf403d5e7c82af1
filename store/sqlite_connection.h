// A connection to a SQLite file.
#pragma once

#include <sqlite3.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "store/sqlite_statement.h"

namespace cmpost {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using DatabasePtr = std::unique_ptr<sqlite3, CloseDatabase>;

// What a name means.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;  // 0: nothing
  friend bool operator==(const FileId&, const FileId&) = default;
};
// An Error where nobody can tell, as on a disk that fails.
Result<FileId> file_at(const std::string& path);

class SqliteConnection final : public Connection {
 public:
  // `file`: what `path` meant when the database was opened.
  SqliteConnection(DatabasePtr database, std::string path, FileId file);
  ~SqliteConnection() override;

  Result<Statement*> statement(std::string_view sql) override;
  Result<void> execute(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  bool in_transaction() const override;
  Result<void> begin_read() override;
  std::int64_t last_insert_id() override;
  Result<void> check_place() const override;
  std::int64_t log_size() const override { return log_size_; }
  void write_ahead() override;
  Result<bool> checkpoint() override;

  // What to do while others are in the way: a busy handler of SQLite.
  using Patience = int (*)(void*, int tries);
  void wait_by(Patience patience);
  // From now on log_size() is known; a commit that leaves `limit` octets takes them in itself.
  void watch_log(std::int64_t page_size, std::int64_t limit);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Statements =
      std::unordered_map<std::string, std::unique_ptr<SqliteStatement>, Hash, std::equal_to<>>;

  void give_back_log();
  static int note_commit(void* self, sqlite3* database, const char* name, int pages);

  // Destroyed from the last to the first: the statements, then the database, then its name.
  const std::string path_;
  const FileId file_;
  Patience patience_ = nullptr;
  std::int64_t page_size_ = 0;
  std::int64_t log_limit_ = 0;
  std::int64_t log_size_ = 0;
  DatabasePtr database_;
  Statements statements_;
};

}  // namespace cmpost
