#include "report/csv_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/sample_run.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

ReportSink into_csv(std::string& text) {
  return [&text](std::string_view more) -> Result<void> {
    text += more;
    return {};
  };
}

TEST(CsvReport, HasALineForEachItem) {
  auto one = sample_item(ItemResult::granted, "CN=dev-1,O=\"Plant\"");
  one.serials = {"01ab", "01ac"};
  auto two = sample_item(ItemResult::refused, "");
  two.reason = "no such profile; ask again";
  std::string text;
  ASSERT_THAT(print_csv(quiet_run(), items_of({one, two}), into_csv(text)), IsOk());
  EXPECT_EQ(text,
            "run,at,result,channel,source,transactionID,body,requester,subject,serials,profile,"
            "reason\r\n"
            "214,\"2026-11-21T02:10:00Z\",\"granted\",\"line-3\",\"req-17.der\","
            "\"00112233445566778899aabbccddeeff\",\"ir\",\"ref line-3\","
            "\"CN=dev-1,O=\"\"Plant\"\"\",\"01ab 01ac\",\"device\",\"\"\r\n"
            "214,\"2026-11-21T02:10:00Z\",\"refused\",\"line-3\",\"req-17.der\","
            "\"00112233445566778899aabbccddeeff\",\"ir\",\"ref line-3\",\"\",\"\",\"device\","
            "\"no such profile; ask again\"\r\n");
}

TEST(CsvReport, OfNoItemsIsItsHeading) {
  std::string text;
  ASSERT_THAT(print_csv(quiet_run(), items_of({}), into_csv(text)), IsOk());
  EXPECT_THAT(text, ::testing::EndsWith("profile,reason\r\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(CsvReport, EndsWithTheErrorOfItsSink) {
  const auto full = [](std::string_view) -> Result<void> { return retry("disk full"); };
  EXPECT_THAT(print_csv(quiet_run(), items_of({}), full), Fails(::testing::StrEq("disk full")));
}

}  // namespace
}  // namespace cmpost
