// Disks that take what is written and fail when it is to last.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "outbox/directory_egress.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace {

// Which of the coming calls of fsync(2) for a directory, or for a file, fails; 0: none.
std::atomic<int> failing_directory{0}, failing_file{0};

}  // namespace

extern "C" int fsync(int fd) {
  struct stat status {};
  const bool known = ::fstat(fd, &status) == 0;
  auto& failing = known && S_ISDIR(status.st_mode) ? failing_directory : failing_file;
  if (failing > 0 && failing.fetch_sub(1) == 1) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace cmpost {
namespace {

using ::testing::SizeIs;
using What = Delivery::What;

constexpr std::size_t kAtATime = 16;  // drafts, with so many files:
constexpr rlim_t kFiles = 64;

class FailingSync : public ::testing::Test {
 protected:
  FailingSync() {
    std::filesystem::create_directory(out_);
    ChannelSettings settings;
    settings.name = "drop";
    settings.directory()->out = out_;
    egress_.emplace(settings);
    for (std::size_t i = 0; i < 2 * kAtATime + 8; ++i) {
      Lease lease;
      lease.job.id.octets[0] = static_cast<std::uint8_t>(i);
      lease.job.envelope.reply.name = "dev" + std::to_string(i);
      lease.job.envelope.body = "ip";
      lease.job.payload = {static_cast<std::uint8_t>(i)};
      leases_.push_back(std::move(lease));
    }
  }
  std::vector<What> send() {
    for (auto& lease : leases_) ++lease.attempts;
    struct rlimit before {};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit few = {kFiles, before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const auto deliveries = egress_->send(leases_, {});
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    std::vector<What> what;
    for (const auto& one : deliveries.each) what.push_back(one.what);
    trouble_ = deliveries.trouble;
    return what;
  }
  static std::vector<What> all_of(What what, std::size_t count) { return {count, what}; }

  TemporaryDirectory directory_;
  const std::string out_ = directory_ / "out";
  std::optional<DirectoryEgress> egress_;
  std::vector<Lease> leases_;
  std::optional<Error> trouble_;
};

// Those of the slice before are on the disk, and their reader may have taken them: each leaves
// once.
TEST_F(FailingSync, OfTheDirectoryDefersTheSliceThatItWasFor) {
  failing_directory = 2;
  const auto first = send();
  auto expected = all_of(What::sent, kAtATime);
  expected.resize(leases_.size(), What::deferred);
  EXPECT_EQ(first, expected);
  ASSERT_TRUE(trouble_);
  EXPECT_EQ(trouble_->recovery, Recovery::retry);
  for (std::size_t i = 0; i < kAtATime; ++i) {
    std::filesystem::remove(out_ + "/dev" + std::to_string(i) + ".ip.pki");
  }
  leases_.erase(leases_.begin(), leases_.begin() + kAtATime);
  EXPECT_EQ(send(), all_of(What::sent, leases_.size()));
  EXPECT_FALSE(trouble_);
  EXPECT_THAT(names_in(out_), SizeIs(leases_.size()));
}

TEST_F(FailingSync, OfADraftDefersThatAnswerAndLeavesNothingOfIt) {
  leases_.resize(3);
  failing_file = 1;
  auto what = send();
  EXPECT_EQ(std::ranges::count(what, What::deferred), 1);
  EXPECT_THAT(names_in(out_), SizeIs(2)) << "no draft either";
  EXPECT_EQ(send(), all_of(What::sent, 3));
  EXPECT_THAT(names_in(out_), SizeIs(3));
}

}  // namespace
}  // namespace cmpost
