// What is taken for a database, and what is made where there is none.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "base/files.h"
#include "tests/store/sqlite_file.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using OpenDatabase = SqliteFile;

TEST_F(OpenDatabase, MakesAFileThatOnlyItsOwnerMayRead) {
  const auto connection = open_with_table();
  EXPECT_EQ(mode_of("a.db"), 0600);
  EXPECT_EQ(mode_of("a.db-wal"), 0600);
  EXPECT_EQ(mode_of("a.db-shm"), 0600);
}

TEST_F(OpenDatabase, KeepsTheModeThatAnOperatorHasGivenTheFile) {
  open();
  ASSERT_EQ(::chmod((directory_ / "a.db").c_str(), 0660), 0);
  const auto connection = open_with_table();
  EXPECT_EQ(mode_of("a.db"), 0660);
  EXPECT_EQ(mode_of("a.db-wal"), 0660);
}

TEST_F(OpenDatabase, AMissingFileIsOnlyMadeWhenAskedFor) {
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write),
              Fails(HasSubstr("a.db does not exist")));
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_only),
              Fails(HasSubstr("a.db does not exist")));
  EXPECT_FALSE(exists(directory_ / "a.db"));
}

TEST_F(OpenDatabase, AnEmptyFileIsNotTakenForANewDatabase) {
  std::ofstream(directory_ / "a.db").flush();
  for (const auto mode : {OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), mode),
                Fails(HasSubstr("has no octets")));
  }
  EXPECT_EQ(read_file(directory_ / "a.db", 1).value().size(), 0U);
}

TEST_F(OpenDatabase, AnEmptyFileWhoseLogCannotBeLookedAtIsNotSaidToBeLost) {
  std::ofstream(directory_ / "a.db").flush();
  make_unreadable_name(directory_ / "a.db-wal");
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write),
              Fails(AllOf(HasSubstr("a.db-wal"), HasSubstr("symbolic links"))));
}

TEST_F(OpenDatabase, WhatIsNotCheckpointedYetIsNoEmptyDatabase) {
  const auto writer = open_with_table();
  EXPECT_THAT(open_database("sqlite:a.db", directory_.path(), OpenMode::read_write), IsOk());
}

TEST_F(OpenDatabase, AnUnknownKindOfDatabaseIsRefused) {
  EXPECT_THAT(open_database("oracle:a", directory_.path(), OpenMode::create),
              Fails(HasSubstr("unknown kind")));
  EXPECT_THAT(open_database("sqlite:", directory_.path(), OpenMode::create),
              Fails(HasSubstr("names no file")));
}

TEST_F(OpenDatabase, ANameThatLooksLikeAUriIsAFileName) {
  const auto name = "sqlite:file:b?mode=memory";
  ASSERT_THAT(open_database(name, directory_.path(), OpenMode::create), IsOk());
  EXPECT_TRUE(exists(directory_ / "file:b?mode=memory"));
}

class CopyThatNobodyMayChange : public SqliteFile {
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

}  // namespace
}  // namespace cmpost
