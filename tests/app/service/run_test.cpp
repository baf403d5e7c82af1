#include <gmock/gmock.h>

#include "tests/app/instance_under_test.h"
#include "tests/app/said.h"
#include "tests/support/numbered_jobs.h"

namespace cmpost {
namespace {

constexpr int kAnswers = 559;

// Those that nobody has tried, since the way rests, are left as well.
TEST(Run, CountsEveryAnswerThatIsStillToBeSent) {
  const TemporaryDirectory directory;
  const SystemClock clock;
  make_instance(directory.path());
  {
    const auto instance = open_instance(directory.path(), clock);
    ASSERT_THAT(instance->spool().value()->replies().put(numbered_jobs(1, kAnswers)), IsOk());
  }
  std::filesystem::remove_all(directory / "out");
  const auto said = say(directory.path(), {"run", "--json"});
  EXPECT_EQ(said.code, ExitCode::partly) << said.err;
  EXPECT_EQ(said.json().at("still_to_send"), kAnswers);
}

}  // namespace
}  // namespace cmpost
