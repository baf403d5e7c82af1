#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own_files.h"
#include "tests/support/crash_child.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Files : public ::testing::Test {
 protected:
  FileDescriptor here() { return open_directory(directory_.path()).value(); }
  TemporaryDirectory directory_;
};

TEST_F(Files, AFileIsWrittenAndReadBack) {
  ASSERT_THAT(write_file(directory_ / "a", view_of("hello"), 0600, IfExists::fail), IsOk());
  EXPECT_EQ(text_of(read_file(directory_ / "a", 5).value()), "hello");
  EXPECT_EQ(text_of(read_file_at(here(), "a", 5).value()), "hello");
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Files, AnExistingFileIsReplacedOnlyWhenAsked) {
  ASSERT_THAT(write_file(directory_ / "a", view_of("one"), 0600, IfExists::fail), IsOk());
  EXPECT_THAT(write_file(directory_ / "a", view_of("two"), 0600, IfExists::fail),
              Fails(HasSubstr("exists")));
  EXPECT_EQ(contents_of(directory_ / "a"), "one");
  EXPECT_THAT(write_file(directory_ / "a", view_of("two"), 0600, IfExists::replace), IsOk());
  EXPECT_EQ(contents_of(directory_ / "a"), "two");
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("a"));
}

TEST_F(Files, ReplacingAndAppendingWriteThroughNoLink) {
  write_in_place(directory_ / "precious", "precious");
  ASSERT_EQ(::link((directory_ / "precious").c_str(), (directory_ / "hard").c_str()), 0);
  ASSERT_EQ(::symlink((directory_ / "precious").c_str(), (directory_ / "soft").c_str()), 0);
  EXPECT_THAT(open_for_appending(directory_ / "hard", 0600), Fails(HasSubstr("other names")));
  EXPECT_FALSE(open_for_appending(directory_ / "soft", 0600));
  EXPECT_TRUE(open_for_appending(directory_ / "new", 0600));
  for (const auto* name : {"hard", "soft", "new"}) {
    EXPECT_THAT(replace_file_at(here(), name, view_of("x"), 0600), IsOk());
    EXPECT_EQ(contents_of(directory_ / name), "x");
  }
  EXPECT_EQ(contents_of(directory_ / "precious"), "precious");
}

TEST_F(Files, AFileThatIsTooLargeIsNotRead) {
  write_in_place(directory_ / "a", "x");
  ASSERT_EQ(::truncate((directory_ / "a").c_str(), 2LL << 30), 0);
  EXPECT_THAT(read_file(directory_ / "a", 1000), Fails(HasSubstr("more than the limit of 1000")));
}

TEST_F(Files, WhatIsNoFileIsNeitherReadNorWaitedFor) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(read_file(directory_ / "fifo", 10), Fails(HasSubstr("not a regular file")));
  EXPECT_THAT(read_file(directory_.path(), 10), Fails(HasSubstr("not a regular file")));
  EXPECT_THAT(read_file("/dev/null", 10), Fails(HasSubstr("not a regular file")));
  EXPECT_THAT(read_file(directory_ / "none", 10), Fails(HasSubstr("No such file")));
}

TEST_F(Files, ReadingInADirectoryFollowsNoLink) {
  write_in_place(directory_ / "a", "x");
  ASSERT_EQ(::symlink("a", (directory_ / "link").c_str()), 0);
  EXPECT_THAT(read_file(directory_ / "link", 10), IsOk());
  EXPECT_THAT(read_file_at(here(), "link", 10), Fails(HasSubstr("symbolic link")));
}

TEST_F(Files, RenamingReplacesNothing) {
  write_in_place(directory_ / "a", "one");
  write_in_place(directory_ / "b", "two");
  const auto directory = here();
  EXPECT_THAT(rename_no_replace(directory, "a", directory, "b"), Fails(HasSubstr("exists")));
  EXPECT_EQ(contents_of(directory_ / "b"), "two");
  EXPECT_THAT(rename_no_replace(directory, "a", directory, "c"), IsOk());
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("b", "c"));
  EXPECT_THAT(rename_no_replace(directory, "a", directory, "d"), Fails(HasSubstr("No such file")));
}

TEST_F(Files, RenameByLinkEndsWhatACrashInterrupted) {
  write_in_place(directory_ / "a", "one");
  write_in_place(directory_ / "b", "two");
  const auto directory = here();
  EXPECT_THAT(rename_by_link(directory, "a", directory, "b"), Fails(HasSubstr("exists")));
  EXPECT_EQ(contents_of(directory_ / "b"), "two");
  std::filesystem::create_hard_link(directory_ / "a", directory_ / "c");
  EXPECT_THAT(rename_by_link(directory, "a", directory, "c"), IsOk());
  EXPECT_THAT(names_in(directory_.path()), ElementsAre("b", "c"));
  EXPECT_EQ(contents_of(directory_ / "c"), "one");
}

TEST_F(Files, IdentityTellsArrivalsApart) {
  write_in_place(directory_ / "a", "one");
  const FileDescriptor file(::open((directory_ / "a").c_str(), O_RDONLY));
  const auto before = identify(file, "a").value();
  EXPECT_EQ(before.size, 3U);
  EXPECT_EQ(before.links, 1U);
  std::filesystem::rename(directory_ / "a", directory_ / "b");
  const auto after = identify(file, "a").value();
  EXPECT_EQ(before.inode, after.inode);
  EXPECT_EQ(before.mtime_nanos, after.mtime_nanos);
}

TEST_F(Files, DirectoriesAreMadeWithAllAboveThem) {
  EXPECT_THAT(make_directories(directory_ / "a/b/c"), IsOk());
  EXPECT_THAT(make_directories(directory_ / "a/b/c"), IsOk());
  EXPECT_TRUE(std::filesystem::is_directory(directory_ / "a/b/c"));
  write_in_place(directory_ / "file", "");
  EXPECT_THAT(make_directories(directory_ / "file"), Fails(HasSubstr("not a directory")));
  EXPECT_THAT(open_directory(directory_ / "file"), Fails(HasSubstr("Not a directory")));
}

TEST_F(Files, ALinkThatLeadsNowhereExists) {
  EXPECT_FALSE(exists(directory_ / "a"));
  ASSERT_EQ(::symlink("nowhere", (directory_ / "a").c_str()), 0);
  EXPECT_TRUE(exists(directory_ / "a"));
}

TEST_F(Files, PathsAreTakenFromTheirBase) {
  EXPECT_EQ(path_below("/etc", "a/b"), "/etc/a/b");
  EXPECT_EQ(path_below("/etc", "/a"), "/a");
  EXPECT_EQ(path_below("", "a"), "a");
}

TEST_F(Files, ClosingTellsWhatCloseSays) {
  FileDescriptor file(::open("/dev/null", O_RDONLY));
  ::close(file.get());
  EXPECT_THAT(file.close("/dev/null"), Fails(HasSubstr("closing /dev/null")));
  EXPECT_THAT(file.close("/dev/null"), IsOk());
}

TEST(FilesCrash, DISABLED_Replaces) {
  const auto path = crash_directory() + "/a";
  ASSERT_THAT(write_file(path, view_of("new"), 0600, IfExists::replace), IsOk());
}

TEST(FilesCrash, WhereverItDiesThereIsTheOldFileOrTheNewOne) {
  const int steps = killed_at_each_step(
      "FilesCrash.DISABLED_Replaces",
      [](const std::string& directory) { write_in_place(directory + "/a", "old"); },
      [](const std::string& directory, bool crashed) {
        const auto contents = contents_of(directory + "/a");
        EXPECT_TRUE(contents == "new" || (crashed && contents == "old")) << contents;
      });
  EXPECT_GT(steps, 2);
}

}  // namespace
}  // namespace cmpost
