#include "mime/charset.h"

#include <cstdint>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/printable.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_control(char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; }

std::string utf8_from_utf8(std::string_view octets) {
  std::string text;
  while (!octets.empty()) {
    const auto length = utf8_length(octets);
    if (length == 0) {
      text += kReplacement;
    } else if (printable_length(octets) == 0) {
      text.push_back(' ');
    } else {
      text += octets.substr(0, length);
    }
    octets.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

// ISO-8859-1 is the first page of Unicode; 0x80..0x9F are control characters there.
std::string utf8_from_latin1(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (is_control(c) || (octet >= 0x80 && octet < 0xa0)) {
      text.push_back(' ');
    } else if (octet < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xc0 | octet >> 6));
      text.push_back(static_cast<char>(0x80 | (octet & 0x3f)));
    }
  }
  return text;
}

// Of a character set that we do not know only what it shares with ASCII.
std::string utf8_from_unknown(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    if (static_cast<std::uint8_t>(c) >= 0x80) {
      text += kReplacement;
    } else {
      text.push_back(is_control(c) ? ' ' : c);
    }
  }
  return text;
}

}  // namespace

std::string to_utf8(std::string_view charset, std::string_view octets) {
  if (charset.empty() || same_letters(charset, "utf-8") || same_letters(charset, "utf8") ||
      same_letters(charset, "us-ascii")) {
    return utf8_from_utf8(octets);
  }
  for (const std::string_view latin : {"iso-8859-1", "iso-8859-15", "windows-1252", "latin1"}) {
    if (same_letters(charset, latin)) return utf8_from_latin1(octets);
  }
  return utf8_from_unknown(octets);
}

}  // namespace cmpost
