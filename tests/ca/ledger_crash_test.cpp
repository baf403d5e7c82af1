// A child process writes groups and is killed at its n-th durable step, for every n.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "ca/crl_publisher.h"
#include "tests/ca/ca_fixture.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

constexpr int kGroups = 3, kSize = 10;
constexpr const char* kDirectory = "CMPOST_TEST_LEDGER";

// Each group has certificates, an audit record for each and a revocation of the first.
Result<void> write_group(Ledger& ledger, SyntheticCertificates& synthetic, const Clock& clock) {
  return ledger.write([&](LedgerWriter& writer) -> Result<void> {
    for (int i = 0; i < kSize; ++i) {
      const auto record = synthetic.next(clock.now());
      TRY(writer.add(record));
      TRY(writer.audit("certificate.issued", "{}"));
      if (i == 0) TRY(writer.revoke(record.serial, CRLReason::superseded, clock.now(), {}));
    }
    return {};
  });
}

CrlSettings crl_settings(const std::string& directory) {
  CrlSettings settings;
  settings.lifetime = 24h;
  settings.publish = directory + "/ca.crl";
  return settings;
}

// The child; run by the tests below only. Adds a line to `done` after each group that is durable.
TEST(LedgerCrash, DISABLED_WritesGroups) {
  const std::string directory = std::getenv(kDirectory);
  TestCa ca;
  SystemRandom random;  // another run in the same ledger needs other serial numbers
  SyntheticCertificates synthetic(ca.issue("CN=model"), random);
  const FileDescriptor done(
      ::open((directory + "/done").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const auto ledger = Ledger::open("sqlite:ledger.db", directory, ca.clock).value();
  for (int i = 0; i < kGroups; ++i) {
    ASSERT_THAT(write_group(*ledger, synthetic, ca.clock), IsOk());
    ASSERT_EQ(::write(done.get(), "x", 1), 1);
    ASSERT_THAT(issue_crl(*ledger, ca.issuer, crl_settings(directory), ca.clock), IsOk());
  }
}

// The signal that ended the child, 0 when it came to its end.
int run_child(const std::string& directory, int crash_at) {
  std::vector<std::string> words = {"self", "--gtest_also_run_disabled_tests",
                                    "--gtest_filter=LedgerCrash.DISABLED_WritesGroups"};
  std::vector<std::string> variables = {std::string(kDirectory) + "=" + directory,
                                        "CMPOST_CRASH_AT=" + std::to_string(crash_at)};
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  };
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers(words).data(),
                          pointers(variables).data()),
            0);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(!WIFEXITED(status) || WEXITSTATUS(status) == 0) << "step " << crash_at;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

std::int64_t groups_said_to_be_durable(const std::string& directory) {
  const auto done = read_file(directory + "/done", 100);
  return done ? static_cast<std::int64_t>(done->size()) : 0;
}

void check_ledger(const std::string& directory) {
  FakeClock clock;
  const auto ledger = Ledger::open("sqlite:ledger.db", directory, clock);
  ASSERT_THAT(ledger, IsOk());
  const auto reader = (*ledger)->reader().value();
  const auto count = reader->count().value();
  const auto said = groups_said_to_be_durable(directory);
  EXPECT_EQ(count % kSize, 0) << "half a group";
  EXPECT_GE(count, said * kSize) << "a group that was said to be durable is gone";
  EXPECT_LE(count, (said + 1) * kSize);
  EXPECT_EQ(reader->revoked(Time{})->size(), static_cast<std::size_t>(count / kSize));
  EXPECT_EQ((*ledger)->verify_audit().value(), std::nullopt);

  const auto newest = reader->newest_crl().value();
  EXPECT_EQ(reader->audit_head()->id, count + (newest ? newest->first : 0));
  ASSERT_THAT(publish_newest_crl(*reader, crl_settings(directory)), IsOk());
  if (newest) {
    EXPECT_EQ(read_file(directory + "/ca.crl", 1 << 20).value(), newest->second);
  }
}

TEST(LedgerCrash, LosesNothingAndHalvesNothingAtAnyStep) {
  int survived_at = 0;
  for (int step = 1; survived_at == 0 && step < 200; ++step) {
    const TemporaryDirectory directory;
    const int signal = run_child(directory.path(), step);
    if (signal == 0) survived_at = step;
    EXPECT_TRUE(signal == 0 || signal == SIGKILL) << signal;
    if (exists(directory / "ledger.db")) check_ledger(directory.path());
  }
  EXPECT_GT(survived_at, 2 * kGroups) << "there are steps before and after each commit";
}

TEST(LedgerCrash, CrlNumbersGoOnAfterACrash) {
  const TemporaryDirectory directory;
  // Killed somewhere in the midst, then run to the end in the same directory.
  run_child(directory.path(), 12);
  FakeClock clock;
  const auto before = Ledger::open("sqlite:ledger.db", directory.path(), clock)
                          .value()
                          ->reader()
                          .value()
                          ->newest_crl()
                          .value();
  ASSERT_EQ(run_child(directory.path(), 100000), 0);
  const auto ledger = Ledger::open("sqlite:ledger.db", directory.path(), clock).value();
  const auto after = ledger->reader().value()->newest_crl().value();
  EXPECT_EQ(after->first, (before ? before->first : 0) + kGroups);
  EXPECT_EQ(CertificateList::from_der(after->second)->crlNumber, after->first);
}

}  // namespace
}  // namespace cmpost
