// What the files of a batch are called on their way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cmpost {

// "0f1e2d3c4b5a6978-0000000017-1-dev1.ip.pki" and, for the manifest,
// "0f1e2d3c4b5a6978-0000000017-1.manifest": stream, number, copy, and the name in the manifest. A
// copy has names of its own, so that a repeated batch never meets the files of the copy before.
struct BatchName {
  std::string stream;
  std::uint64_t number = 0;
  std::uint64_t copy = 0;  // from 1 on, up to 9999
  std::string part;        // empty: the manifest

  std::string text() const;
  // Takes what text() makes and nothing else.
  static std::optional<BatchName> parse(std::string_view text);
  friend bool operator==(const BatchName&, const BatchName&) = default;
};

// Room that text() takes beside the part.
inline constexpr std::size_t kBatchPrefix = 16 + 1 + 10 + 1 + 4 + 1;

}  // namespace cmpost
