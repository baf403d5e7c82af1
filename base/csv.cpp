#include "base/csv.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestCell = 4000;
constexpr std::array<std::string_view, 8> kFormulaStarts = {"=",  "+",  "-",  "@",
                                                            "＝", "＋", "－", "＠"};

bool begins_formula(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return std::ranges::any_of(kFormulaStarts,
                             [&](std::string_view start) { return text.starts_with(start); });
}

}  // namespace

std::string csv_text(std::string_view text) {
  const auto plain = printable(text, kLongestCell);
  std::string cell = begins_formula(plain) ? "\"'" : "\"";
  for (std::size_t i = 0; i < plain.size(); ++i) {
    cell += plain[i];
    if (plain[i] == '"') cell += '"';
    if (plain[i] == ';' && begins_formula(std::string_view(plain).substr(i + 1))) cell += '\'';
  }
  return cell + "\"";
}

std::string without_apostrophes(std::string_view cell) {
  std::string text;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const bool begins = i == 0 || cell[i - 1] == ';';
    if (cell[i] == '\'' && begins && begins_formula(cell.substr(i + 1))) continue;
    text += cell[i];
  }
  return text;
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (const auto& cell : cells) row += (row.empty() ? "" : ",") + csv_text(cell);
  return row;
}

std::string csv_line(const std::vector<std::string>& cells) { return csv_row(cells) + "\r\n"; }

}  // namespace cmpost
