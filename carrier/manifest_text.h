// What the manifests of batches and of bundles have in common: lines, numbers, and a checksum at
// the end; for this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// Takes the text apart line by line; an empty optional is a line that is not as it must be.
class ManifestLines {
 public:
  explicit ManifestLines(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  std::optional<std::string_view> next();
  // Whether the next line is "KEY: ...".
  bool has(std::string_view key) const;
  // The value of the line "KEY: VALUE".
  std::optional<std::string_view> value(std::string_view key);

 private:
  std::string_view rest_;
};

// Decimal without sign and leading zeros: one spelling for each number.
std::optional<std::uint64_t> canonical_decimal(std::string_view text, std::uint64_t most);
std::optional<Sha256> lower_case_sha256(std::string_view text);

// Puts the line with the SHA-256 of all before it at the end.
std::string with_checksum(std::string text);
// What stands between the first line and the checksum, which are as they must be.
Result<std::string_view> manifest_body(ByteView octets, std::string_view first_line,
                                       std::size_t limit);

}  // namespace cmpost
