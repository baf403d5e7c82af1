#include "report/run_report.h"

#include <gtest/gtest.h>

#include "tests/report/sample_run.h"

namespace cmpost {
namespace {

TEST(RunReport, EveryNameLeadsBackToItsValue) {
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    EXPECT_EQ(item_result(to_string(result)), result);
  }
  for (const auto end : {RunEnd::done, RunEnd::stopped, RunEnd::interrupted, RunEnd::failed}) {
    EXPECT_EQ(run_end(to_string(end)), end);
  }
  EXPECT_EQ(to_string(ItemResult::partly), "partly");
  EXPECT_EQ(item_result("Granted"), std::nullopt);
  EXPECT_EQ(run_end(""), std::nullopt);
}

TEST(RunReport, TheTotalIsTheSumOfAllResults) {
  EXPECT_EQ(RunCounts{}.total(), 0U);
  EXPECT_EQ(counts_of({{ItemResult::granted, 5}, {ItemResult::held, 2}}).total(), 7U);
}

}  // namespace
}  // namespace cmpost
