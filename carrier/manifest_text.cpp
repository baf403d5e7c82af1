#include "carrier/manifest_text.h"

#include <algorithm>
#include <charconv>

#include "carrier/hash_list.h"

namespace cmpost {

std::optional<std::string_view> ManifestLines::next() {
  const auto end = rest_.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return line;
}

bool ManifestLines::has(std::string_view key) const {
  return rest_.starts_with(key) && rest_.substr(key.size()).starts_with(": ");
}

std::optional<std::string_view> ManifestLines::value(std::string_view key) {
  auto line = next();
  if (!line || !line->starts_with(key) || !line->substr(key.size()).starts_with(": ")) {
    return std::nullopt;
  }
  return line->substr(key.size() + 2);
}

std::optional<std::uint64_t> canonical_decimal(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const bool canonical = text == "0" || (!text.empty() && text.front() != '0');
  return whole && canonical && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<Sha256> lower_case_sha256(std::string_view text) {
  const bool upper =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  return upper ? std::nullopt : sha256_from_hex(text);
}

std::string with_checksum(std::string text) {
  const auto checksum = to_hex(sha256(view_of(text)));
  return std::move(text) + "end: " + checksum + "\n";
}

Result<std::string_view> manifest_body(ByteView octets, std::string_view first_line,
                                       std::size_t limit) {
  constexpr std::string_view kEnd = "end: ";
  constexpr std::size_t kEndLine = kEnd.size() + 64 + 1;
  if (octets.size() > limit) return hold("the manifest is too large");
  const auto text = text_of(octets);
  if (!text.starts_with(std::string(first_line) + "\n")) {
    return hold("it is no manifest of a batch", "or of a version that is not known here");
  }
  if (text.size() < kEndLine) return hold("the manifest is cut off");
  const auto body = text.substr(0, text.size() - kEndLine);
  const auto end = text.substr(body.size());
  if (!body.ends_with('\n') || !end.starts_with(kEnd) || !end.ends_with('\n')) {
    return hold("the manifest is cut off");
  }
  if (end.substr(kEnd.size(), 64) != to_hex(sha256(view_of(body)))) {
    return hold("the manifest is damaged: its checksum is wrong");
  }
  return body.substr(first_line.size() + 1);
}

}  // namespace cmpost
