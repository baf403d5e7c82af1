#include "base/clock.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

TEST(Iso8601, TimesComeBack) {
  for (const auto* text : {"1970-01-01T00:00:00Z", "2026-01-31T23:59:59Z", "2028-02-29T12:00:00Z",
                           "9999-12-31T23:59:59Z"}) {
    ASSERT_TRUE(from_iso8601(text)) << text;
    EXPECT_EQ(to_iso8601(*from_iso8601(text)), text);
  }
  EXPECT_EQ(from_iso8601("1970-01-02T00:00:01Z"), from_unix_micros(86'401'000'000));
}

TEST(Iso8601, OtherFormsAndImpossibleDatesAreRefused) {
  for (const auto* wrong : {"", "2026-01-31", "2026-01-31T23:59:59", "2026-01-31 23:59:59Z",
                            "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
                            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
                            "2026-1-01T00:00:000Z", "-026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(from_iso8601(wrong)) << wrong;
  }
}

TEST(Iso8601, FractionsAreCutOff) {
  EXPECT_EQ(to_iso8601(from_unix_micros(1'999'999)), "1970-01-01T00:00:01Z");
  EXPECT_EQ(to_iso8601(from_unix_micros(-1)), "1969-12-31T23:59:59Z");
}

TEST(Clocks, TheSteadyOneDoesNotGoBack) {
  const SteadyClock clock;
  const auto before = clock.now();
  EXPECT_GE(clock.now(), before);
  EXPECT_GT(SystemClock().now(), from_iso8601("2020-01-01T00:00:00Z").value());
}

}  // namespace
}  // namespace cmpost
