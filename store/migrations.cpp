#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/crash_point.h"
#include "base/files.h"
#include "base/log.h"
#include "base/random.h"
#include "store/connection.h"
#include "store/database_transaction.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr const char* kVersionTable =
    "CREATE TABLE IF NOT EXISTS schema_version("
    "name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID";

Result<std::int64_t> number(Connection& connection, std::string_view sql) {
  return only(connection, sql, column<std::int64_t>);
}

Result<std::string> path_of(Connection& connection) {
  return only(connection, "SELECT file FROM pragma_database_list WHERE name = 'main'",
              column<std::string>);
}

// 0 for a database in which the schema `name` does not exist yet.
Result<int> version_of(Connection& connection, std::string_view name) {
  ASSIGN_OR_RETURN(
      const auto table,
      number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'"));
  if (table == 0) {
    ASSIGN_OR_RETURN(const auto others, number(connection, "SELECT count(*) FROM sqlite_schema"));
    if (others == 0) return 0;
    ASSIGN_OR_RETURN(const auto path, path_of(connection));
    return hold(path + " is the database of another program", "correct the setting");
  }
  ASSIGN_OR_RETURN(
      const auto version,
      one(connection, "SELECT version FROM schema_version WHERE name = ?", column<int>, name));
  return version.value_or(0);
}

// The version, or hold when it is newer than what this program knows.
Result<int> known_version(Connection& connection, std::string_view name, int newest) {
  ASSIGN_OR_RETURN(const int version, version_of(connection, name));
  if (version <= newest) return version;
  ASSIGN_OR_RETURN(const auto path, path_of(connection));
  return hold(path + " has version " + std::to_string(version) + " of the schema \"" +
                  std::string(name) + "\", this program knows up to " + std::to_string(newest),
              "use the program that wrote it, or restore the backup made before");
}

// An empty file with a name of its own, that only this user may read: VACUUM INTO fills it but
// would make one that everybody may read.
Result<std::string> empty_file_beside(const std::string& target) {
  const auto path = target + "." + to_hex(SystemRandom().bytes(8)) + ".part";
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return failure(errno_error("creating", path, errno));
  return path;
}

Result<void> copy_database(Connection& connection, const std::string& copy) {
  TRY(change(connection, "VACUUM INTO ?", copy));
  FileDescriptor file(::open(copy.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure(errno_error("opening", copy, errno));
  return sync(file, copy);
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
  crash_point("store.backup.written");
  if (::rename(from.c_str(), to.c_str()) != 0) return failure(errno_error("creating", to, errno));
  return sync_directory(std::filesystem::path(to).parent_path().string());
}

// Leaves no copy when another process has migrated in the meantime: it has made one.
Result<void> back_up(Connection& connection, std::string_view name, int version) {
  ASSIGN_OR_RETURN(const auto path, path_of(connection));
  const auto backup = path + ".v" + std::to_string(version) + ".bak";
  ASSIGN_OR_RETURN(const auto part, empty_file_beside(backup));
  auto copied = copy_database(connection, part);
  const auto now = version_of(connection, name);
  if (copied && now && *now == version) copied = rename_durably(part, backup);
  ::unlink(part.c_str());
  TRY(copied);
  TRY(now);
  log::info("database.backup", {{"schema", name}, {"version", version}, {"file", backup}});
  return {};
}

Result<void> write_version(Connection& connection, std::string_view name, int version) {
  TRY(connection.execute(kVersionTable));
  TRY(change(connection,
             "INSERT INTO schema_version VALUES (?, ?) ON CONFLICT DO UPDATE SET version = "
             "excluded.version",
             name, version));
  return {};
}

// Does nothing when another process was faster.
Result<void> run(Connection& connection, std::string_view name, const Migration& migration) {
  DatabaseTransaction transaction(connection);
  TRY(transaction.begin());
  ASSIGN_OR_RETURN(const int version, version_of(connection, name));
  if (version >= migration.version) return {};
  TRY(connection.execute(migration.sql));
  TRY(write_version(connection, name, migration.version));
  return transaction.commit();
}

}  // namespace

Result<void> check_schema(Connection& connection, std::string_view name,
                          const std::vector<Migration>& migrations) {
  const auto newest = static_cast<int>(migrations.size());
  ASSIGN_OR_RETURN(const int version, known_version(connection, name, newest));
  if (version == newest) return {};
  ASSIGN_OR_RETURN(const auto path, path_of(connection));
  return hold(path + " has version " + std::to_string(version) + " of the schema \"" +
                  std::string(name) + "\", and what only reads does not change it to version " +
                  std::to_string(newest),
              "`cmpost run` or `cmpost serve` does");
}

Result<void> migrate(Connection& connection, std::string_view name,
                     const std::vector<Migration>& migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    CHECK(migrations[i].version == static_cast<int>(i) + 1);
  }
  const auto newest = static_cast<int>(migrations.size());
  ASSIGN_OR_RETURN(const int version, known_version(connection, name, newest));
  if (version > 0 && version < newest) TRY(back_up(connection, name, version));
  for (const auto& migration : migrations) {
    if (migration.version > version) TRY(run(connection, name, migration));
  }
  return {};
}

}  // namespace cmpost
