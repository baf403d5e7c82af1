#include "ca/lint/name_syntax.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {
namespace {

constexpr std::size_t kLongestHost = 253, kLongestLabel = 63, kLongestLocalPart = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_one_of(std::string_view characters, char c) {
  return characters.find(c) != std::string_view::npos;
}

bool is_host_label(std::string_view label) {
  const bool sound = !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
                     label.back() != '-';
  return sound && std::ranges::all_of(label, [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '_';
         });
}

bool are_labels(std::string_view host) {
  while (true) {
    const auto dot = host.find('.');
    if (!is_host_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool looks_like_address(std::string_view host) {
  return std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

bool is_local_part(std::string_view part) {
  const bool sound = !part.empty() && part.size() <= kLongestLocalPart && part.front() != '.' &&
                     part.back() != '.' && part.find("..") == std::string_view::npos;
  return sound && std::ranges::all_of(part, [](char c) {
           return is_letter(c) || is_digit(c) || is_one_of("!#$%&'*+-/=?^_`{|}~.", c);
         });
}

// RFC 3986 2: reserved, unreserved, and '%' of what is encoded.
bool is_of_uri(char c) {
  return is_letter(c) || is_digit(c) || is_one_of("-._~:/?#[]@!$&'()*+,;=%", c);
}

}  // namespace

std::string host_fault(std::string_view host, bool wildcards) {
  constexpr std::string_view kWildcard = "*.";
  if (host.size() > kLongestHost) return "it is longer than a host name can be";
  if (host.starts_with(kWildcard)) {
    if (!wildcards) return "wildcards are not allowed";
    host.remove_prefix(kWildcard.size());
  }
  if (!are_labels(host) || looks_like_address(host)) return "it is no host name";
  return {};
}

std::string mailbox_fault(std::string_view mailbox) {
  const auto at = mailbox.rfind('@');
  const bool sound = at != std::string_view::npos && is_local_part(mailbox.substr(0, at)) &&
                     host_fault(mailbox.substr(at + 1), false).empty();
  return sound ? "" : "it is no mail address";
}

std::string uri_fault(std::string_view uri, const std::vector<std::string>& schemes) {
  const auto colon = uri.find(':');
  if (colon == std::string_view::npos || colon + 1 == uri.size()) return "it is no absolute URI";
  if (!std::ranges::all_of(uri, is_of_uri)) return "it has characters that no URI has";
  const auto scheme = lower_ascii(uri.substr(0, colon));
  if (std::ranges::find(schemes, scheme) == schemes.end()) {
    return "URIs of this scheme are not allowed";
  }
  auto rest = uri.substr(colon + 1);
  if (!rest.starts_with("//")) return {};
  const auto authority = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
  if (authority.empty()) return "it names no host";
  return authority.find('@') == std::string_view::npos ? ""
                                                       : "it has more than a host before its path";
}

std::string address_fault(ByteView address) {
  constexpr std::size_t kIPv4 = 4, kIPv6 = 16;
  return address.size() == kIPv4 || address.size() == kIPv6 ? "" : "it is no address";
}

}  // namespace cmpost
