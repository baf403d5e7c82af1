#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "base/files.h"
#include "store/connection.h"
#include "store/rows.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_error.h"

namespace cmpost {
namespace {

constexpr std::string_view kScheme = "sqlite:";
constexpr auto kBusyTimeout = std::chrono::seconds(10), kBrief = std::chrono::seconds(1);
constexpr auto kLongestPause = std::chrono::milliseconds(5);

// The WAL is copied into the file when it has so many octets: some forty groups of 500 jobs, so
// that a page which many groups change is written back once.
constexpr std::int64_t kCheckpoint = 64 << 20;

// At most 128 MiB of the WAL stay on disk, and at most 8 MiB of pages in memory, however large the
// file is: some groups of 500 requests, and of a large batch what its commit then has to write at
// once. No mmap: a disk error would be a signal and not an Error. `fast` deletion overwrites
// what is deleted where that costs no write of its own.
constexpr const char* kSettings =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA journal_size_limit = 134217728;"
    "PRAGMA cache_size = -8192;"
    "PRAGMA mmap_size = 0;";

std::atomic<bool> waits_briefly = false;

// SQLite's own handler sleeps up to 100 ms at a time, so a process that commits group after group
// could starve the others; short pauses give each its turn. `tries` pauses of 1, 2, ... 5, 5 ms
// have been made before.
int pause_while_busy(void*, int tries) {
  const auto pause = std::min(std::chrono::milliseconds(tries + 1), kLongestPause);
  if (tries * kLongestPause > (waits_briefly ? kBrief : kBusyTimeout)) return 0;
  std::this_thread::sleep_for(pause);
  return 1;
}

Result<std::string> path_of(std::string_view url, const std::string& base_directory) {
  if (!url.starts_with(kScheme)) {
    return hold("the database \"" + std::string(url) + "\" is of an unknown kind",
                "this build knows \"sqlite:FILE\"");
  }
  const std::string path(url.substr(kScheme.size()));
  if (path.empty() || path.find('\0') != std::string::npos) {
    return hold("the database \"" + std::string(url) + "\" names no file");
  }
  const auto whole = path_below(base_directory, path);
  // Debian's SQLite would take a relative name that starts with "file:" for a URI.
  return whole.front() == '/' ? whole : "./" + whole;
}

// SQLite would make the file with the umask's mode. The -wal and -shm files get the mode of the
// database. The descriptor is closed before SQLite opens the file: closing one later would drop
// SQLite's locks.
Result<void> create_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file && errno == EEXIST) return {};
  if (!file) return failure(errno_error("creating", path, errno));
  TRY(sync(file, path));
  TRY(file.close(path));
  return sync_directory(std::filesystem::path(path).parent_path().string());
}

// nullopt: there is nothing. An Error: nobody can tell.
Result<std::optional<std::uint64_t>> size_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return static_cast<std::uint64_t>(found.st_size);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return failure(errno_error("opening", path, errno));
}

// What is not there must be noticed: an empty database in place of a lost one forgets every
// revocation. SQLite takes a file of no octets for a new database, too.
Result<void> check_is_there(const std::string& path) {
  constexpr auto kHint =
      "mount its disk, correct the setting, or restore it (docs/operations.md, \"Restore\"); where "
      "it is the spool and lost for good, `cmpost queue new` makes an empty one";
  ASSIGN_OR_RETURN(const auto octets, size_of(path));
  if (!octets) return hold(path + " does not exist", kHint);
  if (*octets > 0) return {};
  // Before the first checkpoint all of it is there.
  ASSIGN_OR_RETURN(const auto in_log, size_of(path + "-wal"));
  if (in_log.value_or(0) > 0) return {};
  return hold(path + " has no octets: it is no database", kHint);
}

// Where the directory cannot be written to, on a medium that is read only or by who may not, no
// index of the log can be made beside the database. Where there is no log either, nobody has opened
// the database to change it; a log that cannot be looked at may be there.
bool is_unchanging(const std::string& path) {
  struct stat log {};
  if (::stat((path + "-wal").c_str(), &log) == 0 || errno != ENOENT) return false;
  const auto directory = std::filesystem::path(path).parent_path();
  const bool writable = ::access(directory.empty() ? "." : directory.c_str(), W_OK) == 0;
  return !writable && (errno == EROFS || errno == EACCES);
}

// A name for SQLite: percent signs, question marks and hashes would end a path in a URI.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool special = c == '%' || c == '?' || c == '#';
    uri += special ? "%" + to_hex(ByteView(reinterpret_cast<const std::uint8_t*>(&c), 1))
                   : std::string(1, c);
  }
  return uri + "?immutable=1";
}

int open_flags(OpenMode mode) {
  const int access = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  return access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
}

Result<DatabasePtr> open_file(const std::string& path, OpenMode mode) {
  // Statistics of memory cost a lock at every allocation; must be said before the first use.
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
  const bool unchanging = mode == OpenMode::read_only && is_unchanging(path);
  const auto name = unchanging ? uri_of(path) : path;
  const int flags = open_flags(mode) | (unchanging ? SQLITE_OPEN_URI : 0);
  sqlite3* raw = nullptr;
  errno = 0;
  const int code = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  DatabasePtr database(raw);
  if (code != SQLITE_OK) return failure(sqlite_error(raw, code, "opening database", path));
  // A hostile file must not bring code along, and "text" in SQL is never a string.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  return database;
}

// Changing the journal mode does not wait for others that do the same just now, so try again.
Result<void> use_wal(Connection& connection, const std::string& path) {
  for (int tries = 0;; ++tries) {
    ASSIGN_OR_RETURN(auto* const pragma, connection.statement("PRAGMA journal_mode = WAL"));
    const auto row = pragma->step();
    const bool wal = row && *row && pragma->text(0) == "wal";
    pragma->reset();
    if (wal) return {};
    if (row) {
      return hold("the file system of " + path + " cannot keep a database with a write-ahead log",
                  "use a local disk");
    }
    if (row.error().recovery == Recovery::hold || pause_while_busy(nullptr, tries) == 0) {
      return failure(row.error());
    }
  }
}

// The first read; it shows whether the file is a database at all.
Result<std::int64_t> page_size_of(Connection& connection) {
  TRY(connection.execute("PRAGMA schema_version"));
  return only(connection, "PRAGMA page_size", column<std::int64_t>);
}

// A file that has pages already keeps their size.
Result<void> configure(SqliteConnection& connection, int page_size) {
  TRY(connection.execute("PRAGMA page_size = " + std::to_string(page_size)));
  TRY(connection.execute(kSettings));
  ASSIGN_OR_RETURN(const auto size, page_size_of(connection));
  connection.watch_log(size, kCheckpoint);
  return {};
}

}  // namespace

void wait_briefly_for_databases(bool briefly) { waits_briefly = briefly; }

Result<std::unique_ptr<Connection>> open_database(std::string_view url,
                                                  const std::string& base_directory, OpenMode mode,
                                                  int page_size) {
  ASSIGN_OR_RETURN(const auto path, path_of(url, base_directory));
  if (mode == OpenMode::create) {
    TRY(create_file(path));
  } else {
    TRY(check_is_there(path));
  }
  ASSIGN_OR_RETURN(auto database, open_file(path, mode));
  ASSIGN_OR_RETURN(const auto file, file_at(path));
  if (file == FileId{}) return hold(path + " was removed while it was opened");
  auto connection = std::make_unique<SqliteConnection>(std::move(database), path, file);
  connection->wait_by(pause_while_busy);
  TRY(configure(*connection, page_size));
  if (mode != OpenMode::read_only) TRY(use_wal(*connection, path));
  return connection;
}

}  // namespace cmpost
