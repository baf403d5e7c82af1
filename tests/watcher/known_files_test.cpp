// Files that were taken before, or cannot be put away, and the directories that they go to.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/watcher/watched_input.h"
#include "watcher/arrival.h"
#include "watcher/directory_ingress.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string known_request(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}

class KnownFilesTest : public WatchedInput<DirectoryIngress> {
 protected:
  KnownFilesTest() : WatchedInput("drop", "in", std::chrono::hours(1)) {
    settings_.directory()->poll = std::chrono::hours(10);
    restart();
  }
  void restart() {
    ingress_.emplace(settings_, queue_, wall_, steady_);
    look();
  }
  void look_when_settled() {
    look_later();
    look_later();
  }
  void drop(const std::string& name, std::string_view contents) {
    write_and_rename(in_, name, contents);
  }
};

TEST_F(KnownFilesTest, WhatWasAnsweredAndIsPutInAgainIsANewArrival) {
  drop("dev1.pki", known_request(1));
  look();
  for (std::size_t times = 1; times < 4; ++times) {
    const auto lease = queue_.take(1).value().at(0);
    ASSERT_THAT(queue_.finish(std::vector{lease.job.id}, "answered"), IsOk());
    std::filesystem::rename(in_ + "/.done/dev1.pki", in_ + "/dev1.pki");
    const auto intake = look();
    EXPECT_EQ(intake.deposited, 1U);
    EXPECT_EQ(intake.known, 0U);
    EXPECT_EQ(waiting(), 1U);
    EXPECT_THAT(jobs(), SizeIs(times + 1));
    EXPECT_THAT(in(".done"), ElementsAre("dev1.pki"));
  }
}

TEST_F(KnownFilesTest, WhatWasAnsweredAndLiesInWorkIsNot) {
  drop("dev1.pki", known_request(1));
  look();
  ASSERT_THAT(queue_.finish(std::vector{queue_.take(1).value().at(0).job.id}, "answered"), IsOk());
  ingress_.reset();
  std::filesystem::rename(in_ + "/.done/dev1.pki", in_ + "/.work/dev1.pki");
  restart();
  EXPECT_THAT(jobs(), SizeIs(1));
  EXPECT_THAT(in(".done"), ElementsAre("dev1.pki"));
}

// Who may rename a file need not be allowed to set its time.
TEST_F(KnownFilesTest, SomebodyElsesFileIsANewArrivalToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  constexpr uid_t kNobody = 65534;
  drop("dev1.pki", known_request(1));
  ::chmod((in_ + "/dev1.pki").c_str(), 0644);
  ::chmod(directory_.path().c_str(), 0755);
  for (const auto& own : {in_, in_ + "/.work", in_ + "/.done", in_ + "/.quarantine"}) {
    ASSERT_EQ(::chown(own.c_str(), kNobody, kNobody), 0);
  }
  const auto child = ::fork();
  if (child == 0) {
    if (::setuid(kNobody) != 0) ::_exit(10);
    look();
    const auto first = queue_.take(1).value();
    if (first.size() != 1 || !queue_.finish(std::vector{first[0].job.id}, "answered")) ::_exit(2);
    std::filesystem::rename(in_ + "/.done/dev1.pki", in_ + "/dev1.pki");
    const auto intake = look();
    const auto again = queue_.take(1).value();
    const bool right = intake.known == 0 && again.size() == 1 &&
                       again[0].job.envelope.reply.name == "dev1" &&
                       again[0].job.envelope.source == "dev1.pki";
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(in(), IsEmpty());
  EXPECT_THAT(in(".work"), IsEmpty());
}

TEST_F(KnownFilesTest, NeighboursThatAreRemovedOrReplacedAreMadeAgain) {
  int number = 0;
  for (const std::string neighbour : {".work", ".done", ".quarantine"}) {
    for (const bool replaced : {false, true}) {
      std::filesystem::remove_all(in_ + "/" + neighbour);
      if (replaced) std::filesystem::create_directory(in_ + "/" + neighbour);
      ++number;
      drop("good" + std::to_string(number) + ".pki", known_request(number));
      drop("bad" + std::to_string(number) + ".pki", "no message");
      look();
      look_when_settled();
      EXPECT_THAT(in(), IsEmpty()) << neighbour;
      EXPECT_THAT(in(".work"), IsEmpty()) << neighbour;
      EXPECT_EQ(waiting(), static_cast<std::size_t>(number)) << neighbour;
      EXPECT_THAT(jobs(JobState::held), SizeIs(static_cast<std::size_t>(number))) << neighbour;
    }
  }
}

TEST_F(KnownFilesTest, AFileThatCannotBePutAwayIsNotReadAgainAndAgain) {
  drop("dev1.pki", known_request(1));
  // All names that it may have in .done are taken.
  const auto found = DropDirectory::open(in_).value().look(DropDirectory::Place::in, "dev1.pki");
  const auto id =
      make_job_id({view_of(settings_.name), arrival_of(**found), view_of(known_request(1))});
  for (const auto& mark : {std::string(), std::string("1"), id.text()}) {
    write_in_place(in_ + "/.done/" + marked_name("dev1.pki", mark), "another");
  }
  const auto text = logged([&] {
    EXPECT_EQ(look().deposited, 1U);
    for (int scans = 0; scans < 3; ++scans) {
      steady_.advance(settings_.directory()->poll);
      const auto intake = look();
      EXPECT_EQ(intake.deposited, 0U);
      EXPECT_EQ(intake.stuck, 1U);
      const auto stuck = ingress_->looked_at().stuck;
      ASSERT_THAT(stuck, SizeIs(1));
      EXPECT_EQ(stuck[0].what, ".work/dev1.pki");
      EXPECT_THAT(stuck[0].why, ::testing::HasSubstr("its request is in the queue"));
    }
    std::filesystem::remove(in_ + "/.done/dev1-1.pki");
    steady_.advance(settings_.directory()->poll);
    look();
  });
  EXPECT_THAT(in(".work"), IsEmpty());
  EXPECT_EQ(count_of("job.arrived", text), 1U);
  EXPECT_EQ(count_of("input.stuck", text), 1U);
}

}  // namespace
}  // namespace cmpost
