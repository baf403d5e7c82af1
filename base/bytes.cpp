#include "base/bytes.h"

#include <algorithm>
#include <array>

#include "base/printable.h"

namespace cmpost {

bool equal(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

void append(Bytes& target, ByteView more) { target.insert(target.end(), more.begin(), more.end()); }

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const auto lead = at(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && at(1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && at(1) > 0x9f) return 0;  // surrogate
  if (lead == 0xf0 && at(1) < 0x90) return 0;  // overlong
  if (lead == 0xf4 && at(1) > 0x8f) return 0;  // beyond U+10FFFF
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_hex(ByteView view) {
  std::string text;
  text.reserve(view.size() * 2);
  for (const auto octet : view) {
    text.push_back(kHexDigits[octet >> 4]);
    text.push_back(kHexDigits[octet & 15]);
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64(ByteView view) {
  std::string text;
  text.reserve((view.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < view.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, view.size() - i);
    std::uint32_t group = static_cast<std::uint32_t>(view[i]) << 16;
    if (left > 1) group |= static_cast<std::uint32_t>(view[i + 1]) << 8;
    if (left > 2) group |= view[i + 2];
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text.push_back(digit <= left ? kBase64Digits[group >> (18 - 6 * digit) & 63] : '=');
    }
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  static const auto kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < 64; ++i) {
      values[static_cast<std::uint8_t>(kBase64Digits[i])] = static_cast<std::int8_t>(i);
    }
    return values;
  }();
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  int digits = 0;
  int padding = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = kValues[static_cast<std::uint8_t>(c)];
    if (value < 0 || padding > 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++digits == 4) {
      for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(group >> shift));
      group = 0;
      digits = 0;
    }
  }
  if (digits == 0) return padding == 0 ? std::optional(bytes) : std::nullopt;
  if (digits == 1 || digits + padding != 4) return std::nullopt;
  const int unused = digits == 2 ? 4 : 2;
  if ((group & ((1U << unused) - 1)) != 0) return std::nullopt;
  group >>= unused;
  if (digits == 3) bytes.push_back(static_cast<std::uint8_t>(group >> 8));
  bytes.push_back(static_cast<std::uint8_t>(group));
  return bytes;
}

namespace {

// Of a well-formed character.
char32_t code_point(std::string_view character) {
  const auto lead = static_cast<std::uint8_t>(character[0]);
  char32_t value = character.size() == 1 ? lead : lead & (0x7fU >> character.size());
  for (const char c : character.substr(1))
    value = value << 6U | (static_cast<std::uint8_t>(c) & 63U);
  return value;
}

struct Range {
  char32_t first, last;
};
// Sorted. What a terminal obeys, what turns the order of a line around, ends it, or is not seen.
constexpr std::array<Range, 16> kUnprintable = {{
    {0x00, 0x1f},        // C0
    {0x7f, 0x9f},        // DELETE, C1
    {0xad, 0xad},        // SOFT HYPHEN
    {0x61c, 0x61c},      // ARABIC LETTER MARK
    {0x115f, 0x1160},    // HANGUL fillers
    {0x180b, 0x180f},    // Mongolian selectors
    {0x200b, 0x200f},    // of no width, and marks of direction
    {0x2028, 0x202e},    // LINE and PARAGRAPH SEPARATOR, embedding and override of direction
    {0x2060, 0x206f},    // invisible operators, isolates of direction
    {0x3164, 0x3164},    // HANGUL FILLER
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // ZERO WIDTH NO-BREAK SPACE
    {0xffa0, 0xffa0},    // HALFWIDTH HANGUL FILLER
    {0xfff0, 0xfffb},    // interlinear annotation
    {0xfffe, 0xffff},    // no characters
    {0xe0000, 0xe0fff},  // tags
}};

bool is_printable(char32_t character) {
  const auto range = std::ranges::lower_bound(kUnprintable, character, {}, &Range::last);
  return range == kUnprintable.end() || character < range->first;
}

}  // namespace

std::size_t printable_length(std::string_view text) {
  const auto length = utf8_length(text);
  return length > 0 && is_printable(code_point(text.substr(0, length))) ? length : 0;
}

std::string printable(std::string_view text, std::size_t limit) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (text.size() <= limit && std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    const auto plain = printable_length(text);
    const auto take = plain != 0 ? plain : std::max<std::size_t>(utf8_length(text), 1);
    if (out.size() + (plain != 0 ? take : 4 * take) > limit) return out + "...";
    for (const char c : text.substr(0, take)) {
      if (plain != 0) {
        out.push_back(c);
        continue;
      }
      const auto octet = static_cast<std::uint8_t>(c);
      out += "\\x";
      out.push_back(kHexDigits[octet >> 4]);
      out.push_back(kHexDigits[octet & 15]);
    }
    text.remove_prefix(take);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const auto continues = [&](std::size_t at) {
    return at < text.size() && (static_cast<std::uint8_t>(text[at]) & 0xc0U) == 0x80U;
  };
  // What is not UTF-8 is cut anywhere.
  const auto move_off = [&](std::size_t at, int step) {
    constexpr int kMostContinuing = 3;
    auto moved = at;
    for (int i = 0; i < kMostContinuing && moved > 0 && continues(moved); ++i) {
      moved += static_cast<std::size_t>(step);
    }
    return continues(moved) ? at : moved;
  };
  const auto head = (limit - 1) / 2, tail = text.size() - (limit - 1 - head);
  return std::string(text.substr(0, move_off(head, -1))) + "~" +
         std::string(text.substr(move_off(tail, 1)));
}

}  // namespace cmpost
