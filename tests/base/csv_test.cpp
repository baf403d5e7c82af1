#include "base/csv.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(Csv, CellsAreQuotedAndNoFormulas) {
  EXPECT_EQ(csv_line({"a", "b \"c\", d", ""}), "\"a\",\"b \"\"c\"\", d\",\"\"\r\n");
  EXPECT_EQ(csv_line({"=1+1", "-x", "@a", "+b"}), "\"'=1+1\",\"'-x\",\"'@a\",\"'+b\"\r\n");
}

TEST(Csv, ALineBreakStaysInItsCell) { EXPECT_EQ(csv_line({"a\nb"}), "\"a\\x0ab\"\r\n"); }

}  // namespace
}  // namespace cmpost
