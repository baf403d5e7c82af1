// Entries of a directory that is listed, and of which nobody can say how they look.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/as_nobody.h"
#include "tests/support/fake_random.h"
#include "tests/watcher/watched_input.h"
#include "watcher/directory_ingress.h"
#include "watcher/media/media_ingress.h"

namespace {

std::string failing_entry;  // empty: none

}  // namespace

extern "C" int fstatat(int directory, const char* name, struct stat* status, int flags) noexcept {
  if (!failing_entry.empty() && failing_entry == name) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_newfstatat, directory, name, status, flags));
}

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct FailsToLookAt {
  explicit FailsToLookAt(const std::string& name) { failing_entry = name; }
  ~FailsToLookAt() { failing_entry.clear(); }
  FailsToLookAt(const FailsToLookAt&) = delete;
};

std::string some_request(int number) {
  return {'\x30', '\x03', '\x02', '\x01', static_cast<char>(number)};
}

struct FailingMedium : WatchedInput<MediaIngress> {
  FailingMedium() : WatchedInput("stick", "medium/in", 1s) {
    settings_.directory()->media = true;
    ingress_.emplace(settings_, queue_, wall_, steady_, random_);
  }
  SystemRandom random_;
};

TEST_F(FailingMedium, AnEntryThatCannotBeExaminedIsStuckAndKeepsNoOtherFromBeingCopied) {
  write_and_rename(in_, "a.pki", some_request(1));
  write_and_rename(in_, "b.pki", some_request(2));
  const auto text = logged([&] {
    const FailsToLookAt bad("b.pki");
    EXPECT_EQ(look_twice().deposited, 1U);
    for (int looks = 0; looks < 3; ++looks) {
      EXPECT_EQ(look_later().stuck, 1U);
      ASSERT_THAT(ingress_->looked_at().stuck, SizeIs(1));
      EXPECT_EQ(ingress_->looked_at().stuck[0].what, "b.pki");
      EXPECT_THAT(ingress_->looked_at().stuck[0].why, HasSubstr("Input/output error"));
    }
  });
  EXPECT_EQ(count_of("input.stuck", text), 1U);
  EXPECT_EQ(look_twice().deposited, 1U);
  EXPECT_THAT(ingress_->looked_at().stuck, IsEmpty());
  EXPECT_THAT(in(".done"), ElementsAre("a.pki", "b.pki"));
}

struct FailingDrop : WatchedInput<DirectoryIngress> {
  FailingDrop() : WatchedInput("drop", "in", 1h) {
    settings_.directory()->poll = 10h;
    ingress_.emplace(settings_, queue_, wall_, steady_);
    look();
  }
};

// What is in the queue and cannot be moved either.
TEST_F(FailingDrop, WhatCannotEvenBeLookedAtAnyMoreIsStuckOnce) {
  write_and_rename(in_, "dev1.pki", some_request(1));
  const AsNobody nobody(directory_.path());
  if (!nobody.ok()) GTEST_SKIP() << "needs root, or an account without rights";
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0555));
  EXPECT_EQ(look().deposited, 1U);
  const auto text = logged([&] {
    const FailsToLookAt bad("dev1.pki");
    for (int scans = 0; scans < 3; ++scans) {
      steady_.advance(settings_.directory()->poll);
      EXPECT_EQ(look().stuck, 1U);
      EXPECT_THAT(ingress_->looked_at().stuck, SizeIs(1));
    }
  });
  EXPECT_EQ(count_of("input.stuck", text), 1U);
  std::filesystem::permissions(in_ + "/.done", std::filesystem::perms(0755));
  steady_.advance(settings_.directory()->poll);
  EXPECT_EQ(look().stuck, 0U);
  EXPECT_THAT(in(".done"), ElementsAre("dev1.pki"));
  EXPECT_THAT(jobs(), SizeIs(1));
}

}  // namespace
}  // namespace cmpost
