#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "base/files.h"
#include "store/connection.h"
#include "store/database_transaction.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteConnection : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> open(OpenMode mode = OpenMode::create) {
    auto opened = open_database("sqlite:a.db", directory_.path(), mode);
    EXPECT_THAT(opened, IsOk());
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<Connection> open_with_table() {
    auto connection = open();
    EXPECT_THAT(connection->execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)"), IsOk());
    return connection;
  }
  static std::int64_t count(Connection& connection) {
    auto* const query = *connection.statement("SELECT count(*) FROM t");
    EXPECT_THAT(query->step(), IsOk());
    const auto rows = query->integer(0);
    query->reset();
    return rows;
  }
  static std::string pragma(Connection& connection, const std::string& name) {
    auto* const query = *connection.statement("PRAGMA " + name);
    EXPECT_THAT(query->step(), IsOk());
    return std::string(query->text(0));
  }
  mode_t mode_of(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::stat((directory_ / name).c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  TemporaryDirectory directory_;
};

TEST_F(SqliteConnection, MakesAFileThatOnlyItsOwnerMayRead) {
  const auto connection = open_with_table();
  EXPECT_EQ(mode_of("a.db"), 0600);
  EXPECT_EQ(mode_of("a.db-wal"), 0600);
  EXPECT_EQ(mode_of("a.db-shm"), 0600);
}

TEST_F(SqliteConnection, KeepsTheModeThatAnOperatorHasGivenTheFile) {
  open();
  ASSERT_EQ(::chmod((directory_ / "a.db").c_str(), 0660), 0);
  const auto connection = open_with_table();
  EXPECT_EQ(mode_of("a.db"), 0660);
  EXPECT_EQ(mode_of("a.db-wal"), 0660);
}

TEST_F(SqliteConnection, SurvivesLossOfPowerAndEnforcesForeignKeys) {
  const auto connection = open();
  EXPECT_EQ(pragma(*connection, "journal_mode"), "wal");
  EXPECT_EQ(pragma(*connection, "synchronous"), "2");
  EXPECT_EQ(pragma(*connection, "foreign_keys"), "1");
}

TEST_F(SqliteConnection, GivesBackWhatWasBound) {
  const auto connection = open();
  auto* const query = *connection->statement("SELECT ?, ?, ?, ?, ?, ?");
  const Bytes blob = {0, 1, 255};
  query->bind(1, std::numeric_limits<std::int64_t>::min());
  query->bind(2, std::string_view("a\0b", 3));
  query->bind(3, blob);
  query->bind(4, std::string_view());
  query->bind(5, ByteView());
  query->bind_null(6);
  ASSERT_TRUE(query->step().value());
  EXPECT_EQ(query->integer(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(query->text(1), std::string_view("a\0b", 3));
  EXPECT_TRUE(equal(query->blob(2), blob));
  EXPECT_FALSE(query->is_null(3));
  EXPECT_FALSE(query->is_null(4));
  EXPECT_TRUE(query->is_null(5));
  EXPECT_FALSE(query->step().value());
}

TEST_F(SqliteConnection, PreparesAStatementOnceAndHandsItOutReset) {
  const auto connection = open();
  auto* const first = *connection->statement("SELECT ?");
  first->bind(1, 7);
  ASSERT_TRUE(first->step().value());
  auto* const second = *connection->statement("SELECT ?");
  EXPECT_EQ(first, second);
  ASSERT_TRUE(second->step().value());
  EXPECT_TRUE(second->is_null(0));
}

TEST_F(SqliteConnection, SaysWhichStatementDoesNotCompile) {
  const auto connection = open();
  const auto statement = connection->statement("SELECT a FROM nowhere");
  EXPECT_THAT(statement, Fails(HasSubstr("no such table: nowhere")));
}

TEST_F(SqliteConnection, CountsTheRowsThatAStatementChanged) {
  const auto connection = open_with_table();
  auto* const insert = *connection->statement("INSERT INTO t VALUES (1, 2), (2, 3), (3, 4)");
  EXPECT_EQ(insert->execute().value(), 3);
  EXPECT_EQ(connection->last_insert_id(), 3);
  EXPECT_EQ((*connection->statement("DELETE FROM t WHERE a > 9"))->execute().value(), 0);
  EXPECT_EQ((*connection->statement("CREATE TABLE u(a)"))->execute().value(), 0);
}

TEST_F(SqliteConnection, ForgetsATransactionThatIsNotCommitted) {
  const auto connection = open_with_table();
  {
    DatabaseTransaction transaction(*connection);
    ASSERT_THAT(transaction.begin(), IsOk());
    ASSERT_THAT(connection->execute("INSERT INTO t VALUES (1, 1)"), IsOk());
    EXPECT_TRUE(connection->in_transaction());
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(count(*connection), 0);
}

TEST_F(SqliteConnection, ForgetsAnOpenTransactionWhenItIsClosed) {
  auto connection = open_with_table();
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t VALUES (1, 1)"), IsOk());
  connection.reset();
  EXPECT_EQ(count(*open()), 0);
}

TEST_F(SqliteConnection, ReadsOneSnapshotWhileOthersWrite) {
  const auto writer = open_with_table();
  const auto reader = open(OpenMode::read_only);
  ASSERT_THAT(reader->begin_read(), IsOk());
  EXPECT_EQ(count(*reader), 0);
  ASSERT_THAT(writer->execute("INSERT INTO t VALUES (1, 1)"), IsOk());
  EXPECT_EQ(count(*reader), 0);
  ASSERT_THAT(reader->commit(), IsOk());
  EXPECT_EQ(count(*reader), 1);
}

TEST_F(SqliteConnection, WaitsForAnotherWriter) {
  const auto first = open_with_table();
  const auto second = open();
  ASSERT_THAT(first->begin(), IsOk());
  ASSERT_THAT(first->execute("INSERT INTO t VALUES (1, 1)"), IsOk());
  std::jthread waiting([&] {
    ASSERT_THAT(second->begin(), IsOk());
    EXPECT_EQ(count(*second), 1);
    EXPECT_THAT(second->commit(), IsOk());
  });
  EXPECT_THAT(first->commit(), IsOk());
}

TEST_F(SqliteConnection, AFullDiskIsWorthARetryAndChangesNothing) {
  const auto connection = open_with_table();
  ASSERT_THAT(connection->execute("PRAGMA max_page_count = 10"), IsOk());
  ASSERT_THAT(connection->begin(), IsOk());
  const auto insert = connection->execute("INSERT INTO t VALUES (1, zeroblob(100000))");
  ASSERT_THAT(insert, Fails(HasSubstr("full")));
  EXPECT_EQ(insert.error().recovery, Recovery::retry);
  EXPECT_THAT(insert.error().hint, HasSubstr("space"));
  connection->rollback();
  EXPECT_EQ(count(*connection), 0);
  EXPECT_THAT(connection->execute("INSERT INTO t VALUES (1, 1)"), IsOk());
}

TEST_F(SqliteConnection, ACommitAfterSqliteHasRolledBackIsNotOk) {
  const auto connection = open_with_table();
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT OR ROLLBACK INTO t VALUES (1, 1)"), IsOk());
  ASSERT_FALSE(connection->execute("INSERT OR ROLLBACK INTO t VALUES (1, 1)"));
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_THAT(connection->commit(), Fails(HasSubstr("rolled back")));
}

TEST_F(SqliteConnection, AReadOnlyConnectionWritesNothing) {
  open_with_table();
  const auto reader = open(OpenMode::read_only);
  const auto insert = reader->execute("INSERT INTO t VALUES (1, 1)");
  ASSERT_THAT(insert, Fails(HasSubstr("readonly")));
  EXPECT_EQ(insert.error().recovery, Recovery::hold);
}

TEST_F(SqliteConnection, AFileThatIsNoDatabaseIsForTheOperator) {
  std::ofstream(directory_ / "a.db") << std::string(5000, 'x');
  const auto opened = open_database("sqlite:a.db", directory_.path(), OpenMode::create);
  ASSERT_THAT(opened, Fails(AllOf(HasSubstr("a.db"), HasSubstr("not a database"))));
  EXPECT_EQ(opened.error().recovery, Recovery::hold);
  EXPECT_THAT(opened.error().hint, HasSubstr("backup"));
}

TEST_F(SqliteConnection, ADamagedDatabaseIsForTheOperator) {
  {
    const auto connection = open_with_table();
    ASSERT_THAT(connection->execute("INSERT INTO t VALUES (1, zeroblob(50000))"), IsOk());
  }
  {
    std::fstream file(directory_ / "a.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(8192, '\x7f');
  }
  const auto connection = open();
  auto* const query = *connection->statement("SELECT b FROM t");
  const auto row = query->step();
  ASSERT_THAT(row, Fails(HasSubstr("malformed")));
  EXPECT_EQ(row.error().recovery, Recovery::hold);
  EXPECT_THAT(row.error().hint, HasSubstr("backup"));
}

TEST_F(SqliteConnection, AFileThatIsReplacedTakesNoMoreCommits) {
  auto connection = open_with_table();
  const auto file = directory_ / "a.db", copy = directory_ / "copy.db";
  ASSERT_THAT(connection->execute("VACUUM INTO '" + copy + "'"), IsOk());
  EXPECT_THAT(connection->check_place(), IsOk());
  std::filesystem::rename(copy, file);
  std::ofstream(file + "-wal") << "somebody else's";
  EXPECT_THAT(connection->check_place(), Fails(HasSubstr("a.db was replaced while it was open")));
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t VALUES (7, x'00')"), IsOk());
  const auto committed = connection->commit();
  ASSERT_THAT(committed, Fails(HasSubstr("replaced")));
  EXPECT_EQ(committed.error().recovery, Recovery::hold);
  EXPECT_FALSE(connection->in_transaction());
  connection.reset();
  EXPECT_TRUE(std::filesystem::exists(file + "-wal")) << "is not ours to remove";
}

TEST_F(SqliteConnection, AFileThatIsRemovedTakesNoMoreCommits) {
  const auto connection = open_with_table();
  std::filesystem::remove(directory_ / "a.db");
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t VALUES (7, x'00')"), IsOk());
  EXPECT_THAT(connection->commit(), Fails(HasSubstr("a.db was removed while it was open")));
}

// A name that leads to itself: the system can say neither what is there nor that nothing is.
void make_unreadable_name(const std::string& path) {
  std::filesystem::remove(path);
  std::filesystem::create_symlink(path, path);
}

TEST_F(SqliteConnection, AFileThatCannotBeLookedAtIsNotSaidToBeGone) {
  const auto connection = open_with_table();
  make_unreadable_name(directory_ / "a.db");
  EXPECT_THAT(connection->check_place(), Fails(HasSubstr("symbolic links")));
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t VALUES (7, x'00')"), IsOk());
  EXPECT_THAT(connection->commit(), Fails(HasSubstr("looking at")));
  EXPECT_FALSE(connection->in_transaction());
}

TEST_F(SqliteConnection, AnEmptyFileWhoseLogCannotBeLookedAtIsNotSaidToBeLost) {
  std::ofstream(directory_ / "a.db").flush();
  make_unreadable_name(directory_ / "a.db-wal");
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write),
              Fails(AllOf(HasSubstr("a.db-wal"), HasSubstr("symbolic links"))));
}

class CopyThatNobodyMayChange : public SqliteConnection {
 protected:
  CopyThatNobodyMayChange() {
    open_with_table();
    ::chmod((directory_ / "a.db").c_str(), 0644);
    ::chmod(directory_.path().c_str(), 0555);
  }
  ~CopyThatNobodyMayChange() override { ::chmod(directory_.path().c_str(), 0755); }

  // In a process of its own: root may write everywhere.
  [[noreturn]] void open_as_reader() {
    if (::getuid() == 0 && ::setuid(65534) != 0) std::_Exit(2);
    const auto opened = open_database("sqlite:a.db", directory_.path(), OpenMode::read_only);
    std::_Exit(opened ? 0 : 1);
  }
};

TEST_F(CopyThatNobodyMayChange, IsReadWhereThereIsNoLog) {
  EXPECT_EXIT(open_as_reader(), ::testing::ExitedWithCode(0), "");
}

TEST_F(CopyThatNobodyMayChange, IsNotReadWithoutALogThatCannotBeLookedAt) {
  ::chmod(directory_.path().c_str(), 0755);
  make_unreadable_name(directory_ / "a.db-wal");
  ::chmod(directory_.path().c_str(), 0555);
  EXPECT_EXIT(open_as_reader(), ::testing::ExitedWithCode(1), "");
}

TEST_F(SqliteConnection, AMissingFileIsOnlyMadeWhenAskedFor) {
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write),
              Fails(HasSubstr("a.db does not exist")));
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_only),
              Fails(HasSubstr("a.db does not exist")));
  EXPECT_FALSE(exists(directory_ / "a.db"));
}

TEST_F(SqliteConnection, AnEmptyFileIsNotTakenForANewDatabase) {
  std::ofstream(directory_ / "a.db").flush();
  for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), mode),
                Fails(HasSubstr("has no octets")));
  }
  EXPECT_EQ(read_file(directory_ / "a.db", 1).value().size(), 0U);
}

TEST_F(SqliteConnection, WhatIsNotCheckpointedYetIsNoEmptyDatabase) {
  const auto writer = open_with_table();
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write), IsOk());
}

TEST_F(SqliteConnection, AnUnknownKindOfDatabaseIsRefused) {
  EXPECT_THAT(open_database("oracle:a", directory_.path(), OpenMode::create),
              Fails(HasSubstr("unknown kind")));
  EXPECT_THAT(open_database("sqlite:", directory_.path(), OpenMode::create),
              Fails(HasSubstr("names no file")));
}

TEST_F(SqliteConnection, CheckpointTakesTheLogIntoTheFile) {
  const auto connection = open_with_table();
  const auto insert = "INSERT INTO t(b) VALUES (zeroblob(1000000))";
  ASSERT_THAT(connection->execute(insert), IsOk());
  EXPECT_GT(connection->log_size(), 1'000'000);
  EXPECT_LT(std::filesystem::file_size(directory_ / "a.db"), 1'000'000);
  EXPECT_TRUE(connection->checkpoint().value());
  EXPECT_EQ(connection->log_size(), 0);
  EXPECT_GT(std::filesystem::file_size(directory_ / "a.db"), 1'000'000);
  EXPECT_EQ(count(*connection), 1);
  ASSERT_THAT(connection->execute("DELETE FROM t"), IsOk());
  EXPECT_GT(connection->log_size(), 0) << "begun anew";
  EXPECT_LT(connection->log_size(), 1'000'000);
}

TEST_F(SqliteConnection, WritingAheadChangesNothing) {
  const auto connection = open_with_table();
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t(b) VALUES (zeroblob(1000000))"), IsOk());
  connection->write_ahead();
  EXPECT_TRUE(connection->in_transaction());
  EXPECT_EQ(count(*open(OpenMode::read_only)), 0);
  connection->rollback();
  connection->write_ahead();
  EXPECT_EQ(count(*connection), 0);
}

class WideLog : public SqliteConnection {
 protected:
  WideLog() : connection_(open_with_table()) {
    EXPECT_THAT(connection_->execute("INSERT INTO t(b) VALUES (zeroblob(40000000))"), IsOk());
    EXPECT_GT(log_file(), 40'000'000U);
  }
  std::uintmax_t log_file() { return std::filesystem::file_size(directory_ / "a.db-wal"); }

  const std::unique_ptr<Connection> connection_;
};

TEST_F(WideLog, IsGivenBackByACheckpoint) {
  EXPECT_TRUE(connection_->checkpoint().value());
  EXPECT_EQ(log_file(), 0U);
  ASSERT_THAT(connection_->execute("INSERT INTO t(b) VALUES (1)"), IsOk());
  EXPECT_GT(log_file(), 0U) << "begun anew";
  EXPECT_EQ(count(*open(OpenMode::read_only)), 2);
}

TEST_F(WideLog, StaysWhereSomebodyUsesItAndNobodyWaits) {
  const auto writer = open(OpenMode::read_write);
  ASSERT_THAT(writer->begin(), IsOk());
  EXPECT_TRUE(connection_->checkpoint().value());
  EXPECT_GT(log_file(), 40'000'000U);
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    writer->rollback();
  });
  EXPECT_THAT(connection_->begin(), IsOk()) << "other waits are as they were";
  connection_->rollback();
}

TEST_F(SqliteConnection, CheckpointLeavesWhatAReaderLooksAt) {
  const auto connection = open_with_table();
  ASSERT_THAT(connection->execute("INSERT INTO t(b) VALUES (1)"), IsOk());
  const auto reader = open(OpenMode::read_only);
  ASSERT_THAT(reader->begin_read(), IsOk());
  EXPECT_EQ(count(*reader), 1);
  ASSERT_THAT(connection->execute("INSERT INTO t(b) VALUES (2)"), IsOk());
  EXPECT_FALSE(connection->checkpoint().value());
  EXPECT_GT(connection->log_size(), 0);
  EXPECT_EQ(count(*reader), 1);
  reader->rollback();
  EXPECT_TRUE(connection->checkpoint().value());
  EXPECT_EQ(connection->log_size(), 0);
}

TEST_F(SqliteConnection, ANameThatLooksLikeAUriIsAFileName) {
  const auto name = "sqlite:file:b?mode=memory";
  ASSERT_THAT(open_database(name, directory_.path(), OpenMode::create), IsOk());
  EXPECT_TRUE(exists(directory_ / "file:b?mode=memory"));
}

TEST_F(SqliteConnection, AProcessThatIsToEndDoesNotWaitLongForOthers) {
  const auto other = open_with_table();
  const auto connection = open();
  ASSERT_THAT(other->begin(), IsOk());
  wait_briefly_for_databases(true);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(connection->begin(), Fails(HasSubstr("locked")));
  wait_briefly_for_databases(false);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  other->rollback();
}

}  // namespace
}  // namespace cmpost
