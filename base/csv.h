// Lines of a list for spreadsheets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// A cell in quotation marks. What others have written is made printable, and is text to a
// spreadsheet: what would begin a formula (= + - @, also behind blanks, of full width, or behind a
// semicolon, which many take for the end of a cell) has an apostrophe before it.
std::string csv_text(std::string_view text);
// The text of a cell without those apostrophes.
std::string without_apostrophes(std::string_view cell);

// Such cells by RFC 4180; csv_line() with its line break, csv_row() without.
std::string csv_row(const std::vector<std::string>& cells);
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace cmpost
