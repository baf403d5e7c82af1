#include "carrier/batch_name.h"

#include <charconv>

#include "carrier/batch_manifest.h"

namespace cmpost {
namespace {

constexpr std::string_view kManifestEnding = ".manifest";
constexpr std::size_t kStream = 16, kNumber = 10;
constexpr std::uint64_t kMostCopies = 9999;

std::string padded(std::uint64_t number) {
  auto text = std::to_string(number);
  return std::string(kNumber - std::min(kNumber, text.size()), '0') + text;
}

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string BatchName::text() const {
  const auto head = stream + "-" + padded(number) + "-" + std::to_string(copy);
  return part.empty() ? head + std::string(kManifestEnding) : head + "-" + part;
}

std::optional<BatchName> BatchName::parse(std::string_view text) {
  if (text.size() < kStream + kNumber + 4) return std::nullopt;
  BatchName name;
  name.stream = text.substr(0, kStream);
  const auto number = digits(text.substr(kStream + 1, kNumber));
  const auto rest = text.substr(kStream + kNumber + 2);
  const auto end = rest.find_first_not_of("0123456789");
  if (end == std::string_view::npos) return std::nullopt;
  const auto copy = digits(rest.substr(0, end));
  if (!is_stream_name(name.stream) || !number || !copy || *copy > kMostCopies) return std::nullopt;
  name.number = *number;
  name.copy = *copy;
  const auto tail = rest.substr(end);
  if (tail != kManifestEnding) name.part = tail.substr(1);
  // One spelling for each name: leading zeros of the copy, other separators and the like fall out.
  return name.number > 0 && name.copy > 0 && name.text() == text ? std::optional(name)
                                                                 : std::nullopt;
}

}  // namespace cmpost
