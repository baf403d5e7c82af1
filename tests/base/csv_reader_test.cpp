#include "base/csv_reader.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/csv.h"

namespace cmpost {
namespace {

struct Table {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;
  std::string error;
};

Table read(const std::string& text, CsvLimits limits = {}) {
  Table table;
  std::istringstream in(text);
  auto reader = CsvReader::open(in, limits);
  if (!reader) return {{}, {}, reader.error().what};
  table.columns = reader->columns();
  for (;;) {
    auto row = reader->next();
    if (!row) table.error = row.error().what;
    if (!row || !*row) return table;
    table.rows.push_back(**row);
  }
}

using Cells = std::vector<std::string>;

TEST(CsvReader, TheFirstSeparatorOfTheColumnsCounts) {
  for (const std::string separator : {",", ";", "\t"}) {
    const auto table = read("name" + separator + "san\r\na" + separator + "\"b,;c\"\r\n");
    EXPECT_EQ(table.columns, (Cells{"name", "san"}));
    ASSERT_EQ(table.rows.size(), 1U) << separator;
    EXPECT_EQ(table.rows[0].cells, (Cells{"a", "b,;c"}));
    EXPECT_EQ(table.rows[0].fault, "");
  }
}

TEST(CsvReader, MarkOfByteOrderBlanksAndEmptyRowsAreNothing) {
  const auto table = read("\xEF\xBB\xBF\"name\", san \n\n a , b\n,\n\r\nc");
  EXPECT_EQ(table.columns, (Cells{"name", "san"}));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].cells, (Cells{"a", "b"}));
  EXPECT_EQ(table.rows[0].line, 3U);
  EXPECT_EQ(table.rows[1].cells, (Cells{"c", ""}));
  EXPECT_EQ(table.rows[1].line, 6U);
}

TEST(CsvReader, LinesAreCountedThroughQuotesAndEveryLineBreak) {
  const auto table = read("n\r\"a\nb\"\r\nc\rd\n");
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0].cells, Cells{"a\nb"});
  EXPECT_EQ(table.rows[1].line, 4U);
  EXPECT_EQ(table.rows[2].line, 5U);
}

TEST(CsvReader, OneBadRowDoesNotHideTheNext) {
  const auto table = read("a,b\n1,2,3\n\"x\"y,2\n\xFF,2\n1,2,,\nlast,row\n");
  ASSERT_EQ(table.rows.size(), 5U);
  EXPECT_EQ(table.rows[0].fault, "has 3 cells for 2 columns");
  EXPECT_EQ(table.rows[1].fault, "has something behind closing quotes");
  EXPECT_EQ(table.rows[2].fault, "is not UTF-8");
  EXPECT_EQ(table.rows[3].fault, "");
  EXPECT_EQ(table.rows[4].cells, (Cells{"last", "row"}));
  for (const auto& row : table.rows) EXPECT_EQ(row.cells.size(), 2U);
}

TEST(CsvReader, WhatOurOwnListsSayComesBack) {
  const Cells cells{"=1+1", "a \"b\", c", "-x", ""};
  const auto table = read("w,x,y,z\n" + csv_line(cells));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0].cells, cells);
}

TEST(CsvReader, ColumnsHaveNames) {
  EXPECT_EQ(read("").error, "line 1: column 1 has no name");
  EXPECT_EQ(read("a,,b\n").error, "line 1: column 2 has no name");
  EXPECT_EQ(read("a,b,a\n").error, "line 1: two columns are named a");
  EXPECT_EQ(read("a,\"b\n").error, "line 1: column 2 has no name");
  EXPECT_EQ(read("a,b,c\n", {.columns = 2}).error, "line 1: too many columns");
}

TEST(CsvReader, LimitsComeBeforeMemory) {
  EXPECT_EQ(read("a\nok\n\"" + std::string(1000, 'x'), {.row = 100}).error,
            "line 3: longer than one row may be");
  EXPECT_EQ(read(std::string(1000, 'x'), {.row = 100}).error, "line 1: longer than one row may be");
  EXPECT_EQ(read("a\n\"x").error, "line 2: quotes are not closed");
  EXPECT_EQ(read("a\n" + std::string(1000, ',')).error, "line 2: too many cells");
}

}  // namespace
}  // namespace cmpost
