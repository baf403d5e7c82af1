// A connection to a database. SQLite now; the interface keeps to what PostgreSQL has too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// A prepared statement with `?` parameters, numbered from 1. One thread, no longer than its
// Connection. What rows.h is made of, which numbers and resets nothing by hand.
class Statement {
 public:
  virtual ~Statement() = default;
  // Text and blobs are borrowed until the next reset(); bind_null unbinds.
  virtual void bind(int index, std::int64_t value) = 0;
  virtual void bind(int index, std::string_view text) = 0;
  virtual void bind(int index, ByteView blob) = 0;
  virtual void bind_null(int index) = 0;
  // True: a row can be read. False: done. SQLITE_BUSY after the busy time-out and a full disk are
  // retry, everything else hold.
  virtual Result<bool> step() = 0;
  // Runs a statement that yields no rows, and resets it; the number of rows changed.
  virtual Result<std::int64_t> execute() = 0;
  // Ends the statement and unbinds, so that it can be used again; keeps no lock.
  virtual void reset() = 0;

  // Columns of the current row from 0; views live until the next step() or reset().
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual ByteView blob(int column) const = 0;

  virtual int parameters() const = 0;
  virtual int columns() const = 0;

 private:
  friend class RunningStatement;
  bool in_use_ = false;
};

// One thread at a time. Destroying it rolls back what is open.
class Connection {
 public:
  virtual ~Connection() = default;
  // Prepares on first use and returns the same object for the same text afterwards, reset. An
  // Error only for SQL that does not compile.
  virtual Result<Statement*> statement(std::string_view sql) = 0;
  // One or more statements without parameters.
  virtual Result<void> execute(const std::string& sql) = 0;

  // A write transaction (SQLite: BEGIN IMMEDIATE). commit() returns once it survives loss of
  // power. Nesting is a CHECK failure.
  virtual Result<void> begin() = 0;
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  virtual bool in_transaction() const = 0;
  // A read transaction on one snapshot; ended by commit() or rollback().
  virtual Result<void> begin_read() = 0;
  virtual std::int64_t last_insert_id() = 0;
  // An Error (hold) when the database that is open is no longer the one that its name means:
  // nothing that is written to it would be found again. commit() asks this, too. Any thread.
  virtual Result<void> check_place() const = 0;

  // Octets of the log that commits are kept in until the database file has them, as the last commit
  // of this connection left it.
  virtual std::int64_t log_size() const = 0;
  // Lets the system begin to write out what the transaction has put into the log so far, so that
  // its commit has less to wait for. Never needed, and does not wait for the disk.
  virtual void write_ahead() = 0;
  // Takes the log into the file as far as no reader looks at an older state; false when others have
  // kept some of it there. Never needed: nothing is more durable by it, and a log that grows long
  // is taken in by a commit, or at the end.
  virtual Result<bool> checkpoint() = 0;
};

enum class OpenMode {
  read_write,  // hold when it does not exist or has no octets
  read_only,   // the same; also from a medium that cannot be written to
  create       // made where it does not exist
};
// "sqlite:path" (relative to `base_directory`). WAL, synchronous=FULL, foreign_keys on, busy
// time-out 10 s, a check-point size that suits group commit. A file that is no database or has a
// newer schema is a clear Error. New files get mode 0600 and pages of `page_size` octets: small
// ones suit random keys, large ones (8192) rows that are appended.
Result<std::unique_ptr<Connection>> open_database(std::string_view url,
                                                  const std::string& base_directory, OpenMode mode,
                                                  int page_size = 4096);

// While `briefly`, all connections of this process wait a second at most for others that hold their
// database, instead of ten: for a process that is to end. By any thread.
void wait_briefly_for_databases(bool briefly);

// One step of the schema. Versions count from 1 without gaps.
struct Migration {
  int version;
  const char* sql;
};
// Whether the database has this schema in the newest version; hold when it is older (only who
// writes migrates) or newer. Writes nothing.
Result<void> check_schema(Connection& connection, std::string_view name,
                          const std::vector<Migration>& migrations);
// Brings the database to the newest version in one transaction per step; before changing one that
// already holds data, a copy beside it ("<file>.v<old>.bak", VACUUM INTO). A database newer than
// the list is an Error (hold). `name` is what the schema is called inside ("spool", "ledger").
Result<void> migrate(Connection& connection, std::string_view name,
                     const std::vector<Migration>& migrations);

}  // namespace cmpost
