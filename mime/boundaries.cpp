#include "mime/boundaries.h"

#include <algorithm>

#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kLongestBoundary = 70;  // RFC 2046 5.1.1

bool is_bchar(char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric ||
         (c != '\0' && std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos);
}

bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= kLongestBoundary && text.back() != ' ' &&
         std::ranges::all_of(text, is_bchar);
}

}  // namespace

Result<void> Boundaries::open(std::string_view boundary) {
  if (!is_boundary(boundary)) {
    return hold("a multipart has no boundary of 1 to 70 legal characters");
  }
  if (std::ranges::find(open_, boundary) != open_.end()) {
    return hold("a multipart has the boundary of the one around it");
  }
  open_.emplace_back(boundary);
  return {};
}

bool Boundaries::resembles(std::string_view line) const {
  if (!line.starts_with("--")) return false;
  return std::ranges::any_of(
      open_, [&](const auto& boundary) { return line.substr(2).starts_with(boundary); });
}

Result<Boundaries::Delimiter> Boundaries::classify(std::string_view line) const {
  if (!resembles(line)) return Delimiter::none;
  // RFC 2046 5.1.1 allows "transport-padding" after the delimiter.
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  const auto text = line.substr(2);
  Delimiter found = Delimiter::none;
  std::size_t meanings = 0;
  for (const auto& boundary : open_) {
    if (!text.starts_with(boundary)) continue;
    const auto rest = text.substr(boundary.size());
    if (!rest.empty() && rest != "--") continue;
    ++meanings;
    if (&boundary != &open_.back())
      return hold("a multipart is not closed before the one around it goes on");
    found = rest.empty() ? Delimiter::separator : Delimiter::closing;
  }
  if (meanings != 1) return hold("a line starts like a boundary and is none");
  return found;
}

}  // namespace cmpost
