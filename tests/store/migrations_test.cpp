#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/files.h"
#include "store/connection.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

const std::vector<Migration> kOne = {{1, "CREATE TABLE t(a)"}};
const std::vector<Migration> kTwo = {{1, "CREATE TABLE t(a)"},
                                     {2, "ALTER TABLE t ADD b DEFAULT 7; CREATE TABLE u(a);"}};
const std::vector<Migration> kBroken = {{1, "CREATE TABLE t(a)"},
                                        {2, "CREATE TABLE u(a); CREATE TABLE u(a);"}};

class Migrations : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> open(const std::string& name = "a.db") {
    auto opened = open_database("sqlite:" + name, directory_.path(), OpenMode::create);
    EXPECT_THAT(opened, IsOk());
    return opened ? std::move(*opened) : nullptr;
  }
  // -1 when the query does not even compile.
  static std::int64_t number(Connection& connection, const std::string& sql) {
    const auto query = connection.statement(sql);
    if (!query) return -1;
    EXPECT_THAT((*query)->step(), IsOk());
    const auto value = (*query)->integer(0);
    (*query)->reset();
    return value;
  }
  void make_version_one() {
    const auto connection = open();
    ASSERT_THAT(migrate(*connection, "shop", kOne), IsOk());
    ASSERT_THAT(connection->execute("INSERT INTO t VALUES (1), (2)"), IsOk());
  }
  std::string backup() { return directory_ / "a.db.v1.bak"; }

  TemporaryDirectory directory_;
};

TEST_F(Migrations, BringANewDatabaseToTheNewestVersionWithoutABackup) {
  const auto connection = open();
  ASSERT_THAT(migrate(*connection, "shop", kTwo), IsOk());
  EXPECT_EQ(number(*connection, "SELECT count(b) FROM t"), 0);
  EXPECT_FALSE(exists(backup()));
}

TEST_F(Migrations, DoNothingTheSecondTime) {
  make_version_one();
  ASSERT_THAT(migrate(*open(), "shop", kOne), IsOk());
  EXPECT_EQ(number(*open(), "SELECT count(*) FROM t"), 2);
}

TEST_F(Migrations, CopyTheDataBeforeTheyChangeIt) {
  make_version_one();
  ASSERT_THAT(migrate(*open(), "shop", kTwo), IsOk());
  EXPECT_EQ(number(*open(), "SELECT sum(b) FROM t"), 14);

  struct stat status {};
  ASSERT_EQ(::stat(backup().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const auto old = open("a.db.v1.bak");
  EXPECT_EQ(number(*old, "SELECT count(*) FROM t"), 2);
  EXPECT_EQ(number(*old, "SELECT sum(b) FROM t"), -1);
  EXPECT_THAT(migrate(*old, "shop", kOne), IsOk());
}

TEST_F(Migrations, RefuseADatabaseOfANewerProgram) {
  ASSERT_THAT(migrate(*open(), "shop", kTwo), IsOk());
  const auto refused = migrate(*open(), "shop", kOne);
  ASSERT_THAT(refused, Fails(HasSubstr("version 2")));
  EXPECT_EQ(refused.error().recovery, Recovery::hold);
}

TEST_F(Migrations, RefuseADatabaseOfAnotherProgram) {
  const auto connection = open();
  ASSERT_THAT(connection->execute("CREATE TABLE bookmarks(url)"), IsOk());
  EXPECT_THAT(migrate(*connection, "shop", kOne), Fails(HasSubstr("another program")));
}

TEST_F(Migrations, AStepThatFailsLeavesTheOldVersion) {
  make_version_one();
  const auto connection = open();
  EXPECT_FALSE(migrate(*connection, "shop", kBroken));
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(number(*connection, "SELECT count(*) FROM u"), -1);
  EXPECT_THAT(migrate(*connection, "shop", kOne), IsOk());
}

TEST_F(Migrations, KeepTwoSchemasInOneDatabase) {
  const auto connection = open();
  ASSERT_THAT(migrate(*connection, "shop", kOne), IsOk());
  ASSERT_THAT(migrate(*connection, "stock", {{1, "CREATE TABLE s(a)"}}), IsOk());
  EXPECT_EQ(number(*connection, "SELECT count(*) FROM t, s"), 0);
}

TEST_F(Migrations, SeveralMayStartAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      const auto connection = open();
      EXPECT_THAT(migrate(*connection, "shop", kTwo), IsOk());
    });
  }
  threads.clear();
  EXPECT_EQ(number(*open(), "SELECT version FROM schema_version"), 2);
}

// Runs `migrate` in a child that dies at its n-th durable step; true when it came to its end.
bool migrate_and_die_at(int n, const std::string& directory) {
  const auto child = ::fork();
  if (child == 0) {
    ::setenv("CMPOST_CRASH_AT", std::to_string(n).c_str(), 1);
    const auto connection = open_database("sqlite:a.db", directory, OpenMode::create);
    ::_exit(connection && migrate(**connection, "shop", kTwo) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFEXITED(status);
}

TEST_F(Migrations, MayDieAtEveryStep) {
  bool finished = false;
  for (int n = 1; !finished && n < 100; ++n) {
    for (const auto* name : {"a.db", "a.db-wal", "a.db-shm", "a.db.v1.bak"}) {
      ::unlink((directory_ / name).c_str());
    }
    make_version_one();
    finished = migrate_and_die_at(n, directory_.path());
    const auto connection = open();
    ASSERT_THAT(migrate(*connection, "shop", kTwo), IsOk());
    EXPECT_EQ(number(*connection, "SELECT sum(b) FROM t"), 14);
    EXPECT_EQ(number(*open("a.db.v1.bak"), "SELECT count(*) FROM t"), 2);
  }
  EXPECT_TRUE(finished);
}

TEST_F(Migrations, WhoOnlyLooksChangesNothing) {
  const auto connection = open();
  EXPECT_THAT(check_schema(*connection, "shop", kOne), Fails(HasSubstr("has version 0")));
  ASSERT_THAT(migrate(*connection, "shop", kOne), IsOk());
  EXPECT_THAT(check_schema(*connection, "shop", kOne), IsOk());
  EXPECT_THAT(check_schema(*connection, "shop", kTwo), Fails(HasSubstr("has version 1")));
  EXPECT_THAT(check_schema(*connection, "shop", {}), Fails(HasSubstr("knows up to 0")));
  EXPECT_EQ(number(*connection, "SELECT count(*) FROM u"), -1);
}

}  // namespace
}  // namespace cmpost
