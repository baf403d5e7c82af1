#include "mail/wire/imap_name.h"

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxName = 500;

// The next character of UTF-8; nullopt where it is none.
std::optional<char32_t> take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() < length) return std::nullopt;
  char32_t character = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xc0U) != 0x80) return std::nullopt;
    character = character << 6U | (octet & 0x3fU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (character < kLeast[length] || character > 0x10ffff || surrogate) return std::nullopt;
  text.remove_prefix(length);
  return character;
}

void append_utf16(Bytes& target, char32_t character) {
  const auto unit = [&](char32_t value) {
    target.push_back(static_cast<std::uint8_t>(value >> 8U));
    target.push_back(static_cast<std::uint8_t>(value));
  };
  if (character < 0x10000) return unit(character);
  unit(0xd800 + ((character - 0x10000) >> 10U));
  unit(0xdc00 + ((character - 0x10000) & 0x3ffU));
}

// "modified BASE64 [...], with a further modification from UTF-7 that "," is used instead of "/"."
std::string shifted(const Bytes& utf16) {
  std::string base64 = to_base64(utf16);
  base64.erase(base64.find_last_not_of('=') + 1);
  for (char& c : base64) c = c == '/' ? ',' : c;
  return "&" + base64 + "-";
}

void append_ascii(std::string& target, char c) {
  if (c == '&') {
    target += "&-";
    return;
  }
  if (c == '"' || c == '\\') target += '\\';
  target += c;
}

}  // namespace

Result<std::string> imap_mailbox(std::string_view name) {
  if (name.empty() || name.size() > kMaxName) {
    return hold("'" + printable(name) + "' is no name of a mailbox");
  }
  std::string result = "\"";
  Bytes utf16;
  for (auto rest = name; !rest.empty();) {
    const auto character = take_character(rest);
    if (!character || *character < 0x20 || *character == 0x7f) {
      return hold("'" + printable(name) + "' is no name of a mailbox");
    }
    if (*character > 0x7f) {
      append_utf16(utf16, *character);
      continue;
    }
    if (!utf16.empty()) result += shifted(std::exchange(utf16, {}));
    append_ascii(result, static_cast<char>(*character));
  }
  if (!utf16.empty()) result += shifted(utf16);
  return result + "\"";
}

}  // namespace cmpost
