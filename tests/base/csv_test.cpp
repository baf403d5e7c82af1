#include "base/csv.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(Csv, CellsAreQuotedAndNoFormulas) {
  EXPECT_EQ(csv_line({"a", "b \"c\", d", ""}), "\"a\",\"b \"\"c\"\", d\",\"\"\r\n");
  EXPECT_EQ(csv_line({"=1+1", "-x", "@a", "+b"}), "\"'=1+1\",\"'-x\",\"'@a\",\"'+b\"\r\n");
}

TEST(Csv, ALineBreakStaysInItsCell) { EXPECT_EQ(csv_line({"a\nb"}), "\"a\\x0ab\"\r\n"); }

TEST(Csv, NoCellIsAFormula) {
  for (const auto& [text, cell] : std::vector<std::pair<std::string, std::string>>{
           {"", "\"\""},
           {"plain", "\"plain\""},
           {"=1+1", "\"'=1+1\""},
           {"+1", "\"'+1\""},
           {"-1", "\"'-1\""},
           {"@SUM(A1)", "\"'@SUM(A1)\""},
           {"  =1", "\"'  =1\""},
           {"\t=1", "\"\\x09=1\""},
           {"\r=1", "\"\\x0d=1\""},
           {"\n=1", "\"\\x0a=1\""},
           {"＝1", "\"'＝1\""},
           {"a;=cmd|' /C calc'!A0", "\"a;'=cmd|' /C calc'!A0\""},
           {"a; -1;b", "\"a;' -1;b\""},
           {"a=1;b", "\"a=1;b\""},
           {"say \"=1\"", "\"say \"\"=1\"\"\""},
           {"ü\xff", "\"ü\\xff\""},
           {"a\xe2\x80\xae"
            "b",
            "\"a\\xe2\\x80\\xae"
            "b\""}}) {
    EXPECT_EQ(csv_text(text), cell);
  }
}

TEST(Csv, ApostrophesGoAsTheyCame) {
  for (const std::string text : {"=1", "  -1", "a;=b;+c", "it's", "'quoted'", "a;'b"}) {
    const auto cell = csv_text(text);
    EXPECT_EQ(without_apostrophes(cell.substr(1, cell.size() - 2)), text);
  }
}

}  // namespace
}  // namespace cmpost
