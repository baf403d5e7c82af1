// What the processor has leased when it has to stop in the middle.
#include <filesystem>

#include "tests/processor/office.h"
#include "tests/support/no_more_threads.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(GivenBack, IsEverythingThatWasLeasedWhenTheLedgerTakesNoCommit) {
  Office ca;
  for (int i = 0; i < 5; ++i) ca.put(with_mac(ca, ir(Credential())));
  auto processor = must(
      Processor::create(*ca.spool, *ca.ledger, ca.services(), {.workers = 2, .group = 2}, [] {}));
  const auto ledger = ca.directory / "ledger.db", copy = ca.directory / "copy.db";
  must(ca.reader->connection().execute("VACUUM INTO '" + copy + "'"));
  std::filesystem::rename(copy, ledger);
  EXPECT_THAT(processor->drain({}), Fails(HasSubstr("ledger.db was replaced")));
  const auto jobs = must(ca.spool->requests().list({.state = {}, .channel = {}}));
  ASSERT_THAT(jobs, SizeIs(5));
  for (const auto& job : jobs) {
    EXPECT_TRUE(job.state == JobState::deferred || job.state == JobState::waiting)
        << to_string(job.state) << ": nobody would look at it before its lease runs out";
  }
  EXPECT_THAT(must(ca.spool->replies().list({.state = {}, .channel = {}})), SizeIs(0));
}

TEST(GivenBack, WithoutThreadsItIsAnErrorAndNothingIsLost) {
  Office ca;
  ca.put(with_mac(ca, ir(Credential())));
  const auto create = [&] {
    return Processor::create(*ca.spool, *ca.ledger, ca.services(), {.workers = 1}, [] {});
  };
  const auto processor = must(create());
  {
    const NoMoreThreads none;
    EXPECT_THAT(create(), Fails(HasSubstr("starting a thread")));
    EXPECT_THAT(processor->drain({}), Fails(HasSubstr("starting a thread")));
  }
  EXPECT_EQ(must(processor->drain({})).answered, 1U);
}

}  // namespace
}  // namespace cmpost
