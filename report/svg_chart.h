// Bars as inline SVG that fits any width: places across are shares of it, so that letters and
// patterns keep their size on a phone and on paper.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cmpost {

// What a part of a bar looks like: a class of the page's style that is a colour and a pattern, so
// that it is known in black and white, too.
using Fill = std::string;

// "12.34%" of the whole, which is not 0; never more than 100 %, and never 0.00 % of what is not
// none. No locale decides how it is written.
std::string percent_of(std::uint64_t part, std::uint64_t whole);

// A bar across, as long as `part` of `whole`.
std::string bar(std::uint64_t part, std::uint64_t whole, const Fill& fill);

struct BarPart {
  Fill fill;
  std::uint64_t number = 0;
};
// One bar across, of all parts one after the other.
std::string stacked_bar(const std::vector<BarPart>& parts, const std::string& described);

struct Column {
  std::string label;           // below; HTML
  std::string title;           // when pointed at; HTML
  std::vector<BarPart> parts;  // from the bottom
};
struct ColumnChart {
  std::string described;  // for whom does not see it; HTML
  std::vector<Column> columns;
  int height = 170;                                         // of the highest column, in pixels
  std::string (*in_words)(std::uint64_t number) = nullptr;  // of the scale; HTML
};
// Upright bars over a scale that begins at 0. Labels that would not fit on a phone are left out.
std::string column_chart(const ColumnChart& chart);

// The end of a scale for numbers up to `most`: 1, 2, 4, 6, 8 or 10 times a power of ten.
std::uint64_t scale_of(std::uint64_t most);

}  // namespace cmpost
