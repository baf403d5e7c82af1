#include <fstream>
#include <limits>
#include <thread>

#include "store/database_transaction.h"
#include "tests/store/sqlite_file.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using SqliteConnection = SqliteFile;

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

TEST_F(SqliteConnection, AFileThatCannotBeLookedAtIsNotSaidToBeGone) {
  const auto connection = open_with_table();
  make_unreadable_name(directory_ / "a.db");
  EXPECT_THAT(connection->check_place(), Fails(HasSubstr("symbolic links")));
  ASSERT_THAT(connection->begin(), IsOk());
  ASSERT_THAT(connection->execute("INSERT INTO t VALUES (7, x'00')"), IsOk());
  EXPECT_THAT(connection->commit(), Fails(HasSubstr("looking at")));
  EXPECT_FALSE(connection->in_transaction());
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
