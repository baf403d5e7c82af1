// Numbers in small files of our own.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cmpost {

// Numbers with blanks between them and nothing else but one line end.
template <std::size_t N>
std::optional<std::array<std::int64_t, N>> numbers_in(std::string_view text) {
  std::array<std::int64_t, N> values;
  for (std::size_t i = 0; i < N; ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), values[i]);
    if (error != std::errc() || end == text.data() + text.size()) return std::nullopt;
    if (*end != (i + 1 < N ? ' ' : '\n')) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return text.empty() ? std::optional(values) : std::nullopt;
}

}  // namespace cmpost
