#include "app/terminal/row_sink.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "app/instance/list_options.h"
#include "app/terminal/terminal.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Printed {
  std::string out, err;
};

Printed print_rows(ListForm form, int count, std::int64_t left) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  RowSink sink({"number", "name"}, form, "nothing");
  for (int i = 0; i < count; ++i) {
    sink.add(
        [&] {
          return std::vector{std::to_string(i), std::string("n") + std::to_string(i)};
        },
        [&] {
          return nlohmann::json{{"number", i}};
        });
  }
  sink.finish(left);
  std::fflush(stdout);
  return {::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

TEST(RowSink, ATableSaysWhatIsCutOff) {
  EXPECT_EQ(print_rows(ListForm::table, 1, 4821).out,
            "number  name\n0       n0\n... and 4 821 more: --limit, --offset\n");
  EXPECT_EQ(print_rows(ListForm::table, 0, 0).out, "nothing\n");
  EXPECT_EQ(print_rows(ListForm::table, 0, 7).out, "... and 7 more: --limit, --offset\n");
}

TEST(RowSink, ProgramsGetJsonAndTheCutBesideIt) {
  const auto array = print_rows(ListForm::json_array, 2, 3);
  EXPECT_THAT(nlohmann::json::parse(array.out), SizeIs(2));
  EXPECT_EQ(array.err, "... and 3 more: --limit, --offset\n");
  EXPECT_EQ(print_rows(ListForm::json_array, 0, 0).out, "[]\n");
  EXPECT_EQ(print_rows(ListForm::json_lines, 2, 0).out, "{\"number\":0}\n{\"number\":1}\n");
  EXPECT_EQ(print_rows(ListForm::json_lines, 0, 0).out, "");
}

// More rows than the widths are measured with.
TEST(RowSink, EveryRowOfALongTableIsPrinted) {
  const auto printed = print_rows(ListForm::table, 2500, 0);
  EXPECT_EQ(std::ranges::count(printed.out, '\n'), 2501);
  EXPECT_THAT(printed.out, HasSubstr("2499    n2499\n"));
}

TEST(Terminal, ColumnsAreMadeNarrowerTheWidestFirst) {
  EXPECT_THAT(fitted({32, 10, 90}, 80), ElementsAre(32, 10, 34));
  EXPECT_THAT(fitted({4, 10}, 80), ElementsAre(4, 10));
  EXPECT_THAT(fitted({90, 90, 90}, 10), ElementsAre(8, 8, 8));
}

TEST(Terminal, WhatDoesNotFitEndsWithAnEllipsis) {
  EXPECT_EQ(fitted("abcdefghij", 5), "abcd…");
  EXPECT_EQ(fitted("äöüß", 4), "äöüß");
  EXPECT_EQ(fitted("äöüßx", 4), "äöü…");
  EXPECT_EQ(columns_of("äöü…"), 4U);
}

TEST(ListOptions, CountsWhatIsBehindTheLimit) {
  EXPECT_EQ(left_out({.limit = 10}, 15), 5);
  EXPECT_EQ(left_out({.limit = 10, .offset = 4}, 15), 1);
  EXPECT_EQ(left_out({.limit = 10, .offset = 40}, 15), 0);
  EXPECT_EQ(left_out({.offset = 4}, 15), 0);
}

TEST(ListOptions, TimesAreAbsoluteOrSoLongAgo) {
  const auto now = from_iso8601("2026-11-30T12:00:00Z").value();
  ListOptions options;
  options.since = "2d";
  options.until = "2026-11-30";
  const auto filter = options.read(now);
  ASSERT_THAT(filter, IsOk());
  EXPECT_EQ(filter->since, from_iso8601("2026-11-28T12:00:00Z"));
  EXPECT_EQ(filter->until, from_iso8601("2026-11-30T00:00:00Z"));
  options.since = "yesterday";
  EXPECT_FALSE(options.read(now));
}

}  // namespace
}  // namespace cmpost
