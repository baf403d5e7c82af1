// A database in a directory of its own.
#pragma once

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "store/connection.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

class SqliteFile : public ::testing::Test {
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

// A name that leads to itself: the system can say neither what is there nor that nothing is.
inline void make_unreadable_name(const std::string& path) {
  std::filesystem::remove(path);
  std::filesystem::create_symlink(path, path);
}

}  // namespace cmpost
