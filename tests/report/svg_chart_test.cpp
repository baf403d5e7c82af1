#include "report/svg_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "report/html_text.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgChart, SharesAreWrittenWithTwoDigits) {
  EXPECT_EQ(percent_of(1, 8), "12.50%");
  EXPECT_EQ(percent_of(1, 3), "33.33%");
  EXPECT_EQ(percent_of(0, 8), "0.00%");
  EXPECT_EQ(percent_of(1, 1'000'000), "0.01%");
  EXPECT_EQ(percent_of(9, 8), "100.00%");
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(percent_of(most, most), "100.00%");
}

TEST(SvgChart, ABarIsAsLongAsItsShare) {
  EXPECT_EQ(bar(1, 4, "refused"),
            "<svg class=\"bar\" aria-hidden=\"true\"><rect x=\"0\" y=\"0\" width=\"25.00%\" "
            "height=\"100%\" class=\"refused\"/></svg>");
  EXPECT_EQ(bar(0, 4, "refused"), "<svg class=\"bar\" aria-hidden=\"true\"></svg>");
}

TEST(SvgChart, PartsStandOneAfterTheOther) {
  const auto picture = stacked_bar({{"granted", 3}, {"changed", 0}, {"refused", 1}}, "shares");
  EXPECT_THAT(picture, HasSubstr("x=\"0.00%\" y=\"0\" width=\"75.00%\""));
  EXPECT_THAT(picture, HasSubstr("x=\"75.00%\" y=\"0\" width=\"25.00%\""));
  EXPECT_THAT(picture, HasSubstr("aria-label=\"shares\""));
  EXPECT_THAT(picture, Not(HasSubstr("changed")));
}

TEST(SvgChart, AScaleEndsWithARoundNumber) {
  for (const auto& [most, scale] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 1},
                                                            {1, 1},
                                                            {3, 4},
                                                            {5, 6},
                                                            {9, 10},
                                                            {10, 10},
                                                            {11, 20},
                                                            {5400, 6000},
                                                            {12000, 20000}}) {
    EXPECT_EQ(scale_of(most), scale);
  }
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(scale_of(most), most);
}

TEST(SvgChart, ColumnsAreAsHighAsTheirNumbers) {
  ColumnChart chart{.described = "all", .columns = {}, .height = 100, .in_words = html_number};
  chart.columns = {{"one", "one: 4", {{"granted", 3}, {"refused", 1}}}, {"two", "two: 0", {}}};
  const auto picture = column_chart(chart);
  EXPECT_THAT(picture, HasSubstr("<span>4</span><span>2</span><span>0</span>"));
  EXPECT_THAT(picture, HasSubstr("<title>one: 4</title><rect x=\"21.00%\" y=\"33.00\" "
                                 "width=\"8.00%\" height=\"75.00\" class=\"granted\"/>"
                                 "<rect x=\"21.00%\" y=\"8.00\" width=\"8.00%\" height=\"25.00\" "
                                 "class=\"refused\"/></g>"));
  EXPECT_THAT(picture, HasSubstr("<title>two: 0</title></g>"));
  EXPECT_THAT(picture, HasSubstr("text-anchor=\"middle\">one</text>"));
}

TEST(SvgChart, NotMoreLabelsThanAPhoneHasRoomFor) {
  ColumnChart chart{.described = "all", .columns = {}, .height = 100, .in_words = html_number};
  for (int i = 1; i <= 30; ++i) {
    chart.columns.push_back({std::to_string(i), "", {{"granted", 1}}});
  }
  const auto picture = column_chart(chart);
  EXPECT_THAT(picture, HasSubstr("text-anchor=\"end\">30</text>"));
  EXPECT_THAT(picture, HasSubstr(">5</text>"));
  EXPECT_THAT(picture, Not(HasSubstr(">29</text>")));
}

}  // namespace
}  // namespace cmpost
