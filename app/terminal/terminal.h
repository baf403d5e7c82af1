// The size of what is printed on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// Of standard output; nullopt when it is no terminal, where nothing is cut.
std::optional<std::size_t> terminal_columns();

// ... and its height.
std::optional<std::size_t> terminal_rows();

// How many columns a printable text takes: its characters, as far as each has the same width.
std::size_t columns_of(std::string_view text);
// At most so many columns; what is left out is marked by a last character "…".
std::string fitted(std::string_view text, std::size_t columns);
// Narrower columns, the widest first and none below 8, so that all of them with two spaces between
// take at most `columns` if that can be.
std::vector<std::size_t> fitted(std::vector<std::size_t> widths, std::size_t columns);

}  // namespace cmpost
