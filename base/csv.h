// Lines of a list for spreadsheets.
#pragma once

#include <string>
#include <vector>

namespace cmpost {

// RFC 4180, each cell in quotes, printable, and with an apostrophe before what a spreadsheet would
// take for a formula; csv_line() with its line break, csv_row() without.
std::string csv_row(const std::vector<std::string>& cells);
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace cmpost
