#include "base/csv.h"

#include <string_view>

#include "base/bytes.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestCell = 4000;

std::string csv_cell(const std::string& text) {
  constexpr std::string_view kFormula = "=+-@\t\r";
  std::string cell = "\"";
  if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) cell += '\'';
  for (const char c : printable(text, kLongestCell)) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + "\"";
}

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (const auto& cell : cells) row += (row.empty() ? "" : ",") + csv_cell(cell);
  return row;
}

std::string csv_line(const std::vector<std::string>& cells) { return csv_row(cells) + "\r\n"; }

}  // namespace cmpost
