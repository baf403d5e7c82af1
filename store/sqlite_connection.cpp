#include "store/sqlite_connection.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/crash_point.h"
#include "base/files.h"
#include "store/sqlite_error.h"

namespace cmpost {
namespace {

// A log with so many octets is not kept for the next commits.
constexpr std::int64_t kWideLog = 32 << 20;

}  // namespace

Result<FileId> file_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return FileId{status.st_dev, status.st_ino};
  if (errno == ENOENT || errno == ENOTDIR) return FileId{};
  return failure(errno_error("looking at", path, errno));
}

SqliteConnection::SqliteConnection(DatabasePtr database, std::string path, FileId file)
    : path_(std::move(path)), file_(file), database_(std::move(database)) {}

// The last to close takes the log in and removes it by its name: here it is another database's, or
// may be.
SqliteConnection::~SqliteConnection() {
  rollback();
  if (check_place()) return;
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<void> SqliteConnection::check_place() const {
  ASSIGN_OR_RETURN(const auto now, file_at(path_));
  if (now == file_) return {};
  return hold(path_ + " was " + (now.inode == 0 ? "removed" : "replaced") + " while it was open",
              "stop every process of this instance, put the right file there together with its "
              "-wal file, and start again");
}

Result<Statement*> SqliteConnection::statement(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    found->second->reset();
    return found->second.get();
  }
  sqlite3_stmt* raw = nullptr;
  errno = 0;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementPtr prepared(raw);
  if (code != SQLITE_OK) {
    return failure(sqlite_error(database_.get(), code, "preparing a statement for", path_));
  }
  CHECK(prepared != nullptr);  // an empty text
  auto made = std::make_unique<SqliteStatement>(std::move(prepared), path_);
  return statements_.emplace(sql, std::move(made)).first->second.get();
}

Result<void> SqliteConnection::execute(const std::string& sql) {
  errno = 0;
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return failure(sqlite_error(database_.get(), code, "using database", path_));
  }
  return {};
}

// IMMEDIATE: the one wait for other writers is here, where nothing has been done yet. A deferred
// transaction would find out at its first write, too late to wait.
Result<void> SqliteConnection::begin() {
  CHECK(!in_transaction());
  ASSIGN_OR_RETURN(auto* const begin, statement("BEGIN IMMEDIATE"));
  TRY(begin->execute());
  return {};
}

Result<void> SqliteConnection::begin_read() {
  CHECK(!in_transaction());
  ASSIGN_OR_RETURN(auto* const begin, statement("BEGIN DEFERRED"));
  TRY(begin->execute());
  return {};
}

Result<void> SqliteConnection::commit() {
  // SQLite itself ends a transaction that met a full disk or an I/O error; saying OK to the
  // COMMIT of nothing would lose the work silently.
  if (!in_transaction()) return retry("the transaction on " + path_ + " was rolled back before");
  const bool writes = sqlite3_txn_state(database_.get(), "main") == SQLITE_TXN_WRITE;
  if (auto placed = writes ? check_place() : Result<void>(); !placed) {
    rollback();
    return placed;
  }
  if (writes) crash_point("store.committing");
  ASSIGN_OR_RETURN(auto* const commit, statement("COMMIT"));
  if (const auto committed = commit->execute(); !committed) {
    rollback();
    return failure(committed.error());
  }
  if (writes) crash_point("store.committed");
  return {};
}

void SqliteConnection::rollback() {
  if (in_transaction()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

// The log itself has no locks that closing another descriptor of it could drop.
void SqliteConnection::write_ahead() {
  const FileDescriptor log(::open((path_ + "-wal").c_str(), O_RDONLY | O_CLOEXEC));
  if (log) (void)::sync_file_range(log.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

Result<bool> SqliteConnection::checkpoint() {
  CHECK(!in_transaction());
  int left = 0, taken = 0;  // pages
  errno = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, &left, &taken);
  if (code != SQLITE_OK) {
    return failure(sqlite_error(database_.get(), code, "taking in the log of", path_));
  }
  if (left != taken) return false;
  if (log_size_ >= kWideLog) give_back_log();
  log_size_ = 0;  // the next commit starts it anew
  return true;
}

// At the end, when others wait, it would take as long: where the file system tells the disk what is
// free, a second for some 700 MB. Whoever uses the log just now keeps it as it is, and so does a
// connection that has not made it long itself.
void SqliteConnection::give_back_log() {
  sqlite3_busy_handler(database_.get(), nullptr, nullptr);
  sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_handler(database_.get(), patience_, nullptr);
}

void SqliteConnection::wait_by(Patience patience) {
  patience_ = patience;
  sqlite3_busy_handler(database_.get(), patience, nullptr);
}

void SqliteConnection::watch_log(std::int64_t page_size, std::int64_t limit) {
  page_size_ = page_size;
  log_limit_ = limit;
  sqlite3_wal_hook(database_.get(), note_commit, this);
}

int SqliteConnection::note_commit(void* self, sqlite3* database, const char* name, int pages) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  connection.log_size_ = pages * connection.page_size_;
  // What keeps it from being taken in (a reader, another process that does it, a full disk) is no
  // fault of the commit: the next one tries again.
  if (connection.log_size_ >= connection.log_limit_) sqlite3_wal_checkpoint(database, name);
  return SQLITE_OK;
}

std::int64_t SqliteConnection::last_insert_id() {
  return sqlite3_last_insert_rowid(database_.get());
}

}  // namespace cmpost
