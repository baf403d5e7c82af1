// The log beside a database, and when it is taken in.
#include <gmock/gmock.h>

#include "store/sqlite_connection.h"
#include "tests/store/sqlite_file.h"

namespace cmpost {
namespace {

using SqliteLog = SqliteFile;

TEST_F(SqliteLog, CheckpointTakesTheLogIntoTheFile) {
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

TEST_F(SqliteLog, WritingAheadChangesNothing) {
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

TEST_F(SqliteLog, CheckpointLeavesWhatAReaderLooksAt) {
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

class WideLog : public SqliteFile {
 protected:
  WideLog() : connection_(open_with_table()) {
    EXPECT_THAT(connection_->execute("INSERT INTO t(b) VALUES (zeroblob(40000000))"), IsOk());
    EXPECT_GT(log_file(), 40'000'000U);
  }
  ~WideLog() override { writer_.reset(); }
  // Whoever waits lets the writer end.
  static int let_end(void*, int) {
    ++waits_;
    writer_->rollback();
    return 1;
  }
  std::uintmax_t log_file() { return std::filesystem::file_size(directory_ / "a.db-wal"); }

  const std::unique_ptr<Connection> connection_;
  inline static std::unique_ptr<Connection> writer_;
  inline static int waits_ = 0;
};

TEST_F(WideLog, IsGivenBackByACheckpoint) {
  EXPECT_TRUE(connection_->checkpoint().value());
  EXPECT_EQ(log_file(), 0U);
  ASSERT_THAT(connection_->execute("INSERT INTO t(b) VALUES (1)"), IsOk());
  EXPECT_GT(log_file(), 0U) << "begun anew";
  EXPECT_EQ(count(*open(OpenMode::read_only)), 2);
}

TEST_F(WideLog, StaysWhereSomebodyUsesItAndNobodyWaits) {
  writer_ = open(OpenMode::read_write);
  waits_ = 0;
  dynamic_cast<::cmpost::SqliteConnection&>(*connection_).wait_by(let_end);
  ASSERT_THAT(writer_->begin(), IsOk());
  EXPECT_TRUE(connection_->checkpoint().value());
  EXPECT_EQ(waits_, 0);
  EXPECT_GT(log_file(), 40'000'000U);
  EXPECT_THAT(connection_->begin(), IsOk()) << "other waits are as they were";
  EXPECT_EQ(waits_, 1);
  connection_->rollback();
}

}  // namespace
}  // namespace cmpost
