#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/csv_report.h"
#include "report/html_report.h"
#include "report/json_report.h"
#include "tests/report/sample_run.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

// Counts what is put out and keeps none of it.
struct CountingSink {
  std::uint64_t octets = 0, items = 0, items_unseen = 0, most_unseen = 0;
  std::size_t largest = 0;

  ReportSink sink() {
    return [this](std::string_view text) -> Result<void> {
      octets += text.size();
      largest = std::max(largest, text.size());
      items_unseen = 0;
      return {};
    };
  }
  RunItems many(std::uint64_t number, ItemResult result) {
    return [this, number, result](const auto& each) -> Result<void> {
      const auto item = sample_item(result, "CN=" + std::string(40, 'x'));
      for (items = 0; items < number; ++items) {
        most_unseen = std::max(most_unseen, ++items_unseen);
        TRY(each(item));
      }
      return {};
    };
  }
};

// What is made of an item is put out before the next one is asked for, so that nothing can pile up.
TEST(EndlessItems, AreATableLineByLine) {
  CountingSink counting;
  ASSERT_THAT(print_csv(quiet_run(), counting.many(200'000, ItemResult::granted), counting.sink()),
              IsOk());
  EXPECT_GT(counting.octets, 20'000'000U);
  EXPECT_LT(counting.largest, 1000U);
  EXPECT_EQ(counting.most_unseen, 1U);
}

TEST(EndlessItems, AreJsonItemByItem) {
  CountingSink counting;
  const auto facts = quiet_run();
  ASSERT_THAT(print_json_report(facts, headline(facts, facts.counts),
                                counting.many(100'000, ItemResult::granted), counting.sink()),
              IsOk());
  EXPECT_GT(counting.octets, 20'000'000U);
  EXPECT_LT(counting.largest, 10'000U);
  EXPECT_EQ(counting.most_unseen, 1U);
}

TEST(EndlessItems, AreAPageThatStaysSmall) {
  CountingSink counting;
  const auto facts = quiet_run();
  ASSERT_THAT(print_html(facts, headline(facts, facts.counts),
                         counting.many(1'000'000, ItemResult::refused), counting.sink()),
              IsOk());
  EXPECT_LT(counting.octets, 600'000U);
}

}  // namespace
}  // namespace cmpost
