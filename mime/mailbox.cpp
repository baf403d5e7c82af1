// Addresses. Stricter than RFC 5322: what two mail programs might read differently is no address,
// because an allow list compares the one and a reply goes to the other.
#include <optional>

#include "base/ascii.h"
#include "mime/field_reader.h"
#include "mime/read_mail.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kLongestAddress = 254;  // RFC 5321 4.5.3.1.3, less the angle brackets
constexpr std::size_t kLongestLocalPart = 64;
constexpr std::size_t kLongestLabel = 63;

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  char before = 0;
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_atext(c)) return false;
    before = c;
  }
  return true;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLongestLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return label.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyz"
             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == label.npos;
}

bool is_domain(std::string_view domain) {
  while (true) {
    const auto dot = domain.find('.');
    if (!is_label(domain.substr(0, dot))) return false;
    if (dot == domain.npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

std::optional<Mailbox> read_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos || at > kLongestLocalPart || text.size() > kLongestAddress) {
    return std::nullopt;
  }
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  if (!is_dot_atom(local) || !is_domain(domain)) return std::nullopt;
  return Mailbox{std::string(local), lower_ascii(domain)};
}

// Atoms (with dots, as in "J. Doe"), quoted strings and encoded words.
bool is_display_name(std::string_view text) {
  FieldReader reader(text);
  while (true) {
    // skip_comments() would also skip comments; there must not be any.
    while (reader.take(' ') || reader.take('\t')) {
    }
    if (reader.at_end()) return true;
    if (reader.next_is('"')) {
      if (!reader.quoted_string()) return false;
      continue;
    }
    const auto word = reader.loose_token();
    if (word.empty()) return false;
    for (const char c : word) {
      if (!is_atext(c) && c != '.') return false;
    }
  }
}

}  // namespace

std::optional<Mailbox> read_mailbox(std::string_view field_value) {
  for (const char c : field_value) {
    if (!is_visible(c) && !is_blank(c)) return std::nullopt;
  }
  const auto text = trimmed(field_value);
  if (!text.ends_with('>')) return read_address(text);
  const auto open = text.rfind('<');
  if (open == text.npos || !is_display_name(text.substr(0, open))) return std::nullopt;
  return read_address(text.substr(open + 1, text.size() - open - 2));
}

}  // namespace cmpost
