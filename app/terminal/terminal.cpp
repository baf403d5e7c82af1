#include "app/terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "base/bytes.h"

namespace cmpost {

namespace {

std::optional<winsize> terminal_size() {
  if (::isatty(STDOUT_FILENO) != 1) return std::nullopt;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return known ? std::optional(size) : std::nullopt;
}

}  // namespace

std::optional<std::size_t> terminal_columns() {
  const auto size = terminal_size();
  return size && size->ws_col > 0 ? std::optional<std::size_t>(size->ws_col) : std::nullopt;
}

std::optional<std::size_t> terminal_rows() {
  const auto size = terminal_size();
  return size && size->ws_row > 0 ? std::optional<std::size_t>(size->ws_row) : std::nullopt;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(utf8_length(text), 1));
    ++columns;
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string cut;
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    const auto length = std::max<std::size_t>(utf8_length(text), 1);
    cut += text.substr(0, length);
    text.remove_prefix(length);
  }
  return cut + "…";
}

std::vector<std::size_t> fitted(std::vector<std::size_t> widths, std::size_t columns) {
  constexpr std::size_t kNarrowest = 8, kBetween = 2;
  if (widths.empty()) return widths;
  const auto between = kBetween * (widths.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), between) > columns) {
    const auto widest = std::ranges::max_element(widths);
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

}  // namespace cmpost
