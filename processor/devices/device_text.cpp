#include "processor/devices/device_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include "asn1/name.h"
#include "base/bytes.h"
#include "base/printable.h"

namespace cmpost {
namespace {

struct Range {
  char32_t first, last;
  bool has(char32_t c) const { return c >= first && c <= last; }
};

constexpr std::array<Range, 7> kBlanks = {{{0x20, 0x20},
                                           {0xa0, 0xa0},
                                           {0x1680, 0x1680},
                                           {0x2000, 0x200a},
                                           {0x202f, 0x202f},
                                           {0x205f, 0x205f},
                                           {0x3000, 0x3000}}};
constexpr std::array<Range, 4> kMarks = {
    {{0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}}};

// Capitals and how far away their small letters are; `alternate`: of each two neighbours that begin
// with the first the second one is the small letter.
struct Capitals {
  Range range;
  int distance = 1;
  bool alternate = false;
};
constexpr std::array<Capitals, 29> kCapitals = {{
    {{0xc0, 0xd6}, 32},          {{0xd8, 0xde}, 32},          {{0x100, 0x12f}, 1, true},
    {{0x132, 0x137}, 1, true},   {{0x139, 0x148}, 1, true},   {{0x14a, 0x177}, 1, true},
    {{0x178, 0x178}, -121},      {{0x179, 0x17e}, 1, true},   {{0x1cd, 0x1dc}, 1, true},
    {{0x1de, 0x1ef}, 1, true},   {{0x1f8, 0x21f}, 1, true},   {{0x222, 0x233}, 1, true},
    {{0x386, 0x386}, 38},        {{0x388, 0x38a}, 37},        {{0x38c, 0x38c}, 64},
    {{0x38e, 0x38f}, 63},        {{0x391, 0x3ab}, 32},        {{0x3c2, 0x3c2}, 1},
    {{0x400, 0x40f}, 80},        {{0x410, 0x42f}, 32},        {{0x460, 0x481}, 1, true},
    {{0x48a, 0x4bf}, 1, true},   {{0x4d0, 0x52f}, 1, true},   {{0x531, 0x556}, 48},
    {{0x1e00, 0x1e95}, 1, true}, {{0x1ea0, 0x1eff}, 1, true}, {{0xb5, 0xb5}, 775},
    {{0x212a, 0x212a}, -8383},   {{0x212b, 0x212b}, -8262},
}};

char32_t small_letter(char32_t c) {
  const auto found = std::ranges::find_if(
      kCapitals, [&](const Capitals& capitals) { return capitals.range.has(c); });
  if (found == kCapitals.end()) return c;
  if (found->alternate && (c - found->range.first) % 2 == 1) return c;
  return static_cast<char32_t>(static_cast<int>(c) + found->distance);
}

bool is_in(const auto& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return range.has(c); });
}

// The character at the front of UTF-8, and how long it is.
std::pair<char32_t, std::size_t> first_of(std::string_view text) {
  const auto length = std::max<std::size_t>(utf8_length(text), 1);
  const auto lead = static_cast<std::uint8_t>(text[0]);
  char32_t c = length == 1 ? lead : lead & (0x7fU >> length);
  for (const char more : text.substr(1, length - 1)) {
    c = c << 6U | (static_cast<std::uint8_t>(more) & 63U);
  }
  return {c, length};
}

void add_utf8(std::string& text, char32_t c) {
  const auto add = [&](char32_t octet) { text += static_cast<char>(octet); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | c >> 6U);
  } else {
    if (c < 0x10000) {
      add(0xe0 | c >> 12U);
    } else {
      add(0xf0 | c >> 18U);
      add(0x80 | (c >> 12U & 63U));
    }
    add(0x80 | (c >> 6U & 63U));
  }
  add(0x80 | (c & 63U));
}

template <typename Each>
void each_character(std::string_view text, const Each& each) {
  for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
    char32_t c = 0;
    std::tie(c, length) = first_of(text);
    each(c, text.substr(0, length));
  }
}

}  // namespace

std::string without_outer_blanks(std::string_view text) {
  std::size_t begin = text.size(), end = 0;
  each_character(text, [&](char32_t c, std::string_view character) {
    if (is_in(kBlanks, c)) return;
    const auto at = static_cast<std::size_t>(character.data() - text.data());
    begin = std::min(begin, at);
    end = at + character.size();
  });
  return std::string(text.substr(std::min(begin, end), end - std::min(begin, end)));
}

bool has_blank(std::string_view text) {
  bool found = false;
  each_character(text, [&](char32_t c, std::string_view) { found = found || is_in(kBlanks, c); });
  return found;
}

Result<void> check_text(std::string_view text, TextUse use, std::size_t most) {
  if (text.size() > most) {
    return hold("is longer than " + std::to_string(most) + " octets");
  }
  bool control = false, unseen = false, mark = false, other_blank = false;
  each_character(text, [&](char32_t c, std::string_view character) {
    control = control || c < 0x20 || c == 0x7f;
    unseen = unseen || printable_length(character) == 0;
    mark = mark || is_in(kMarks, c);
    other_blank = other_blank || (c != ' ' && is_in(kBlanks, c));
  });
  if (control) return hold("has a control character or a line break");
  if (use == TextUse::prose) return {};
  if (unseen) {
    return hold("has a character that cannot be seen: \"" + printable(text, 60) + "\"",
                "type it anew instead of copying it");
  }
  if (use != TextUse::name) return {};
  if (mark) {
    return hold("has an accent that is a character of its own, and looks like another name",
                "write letter and accent as one character (NFC)");
  }
  if (other_blank) {
    return hold("has a blank that is none of the keyboard, and looks like another name",
                "type the blank anew");
  }
  return {};
}

std::string appearance(std::string_view name) {
  std::string text;
  each_character(name, [&](char32_t c, std::string_view) {
    add_utf8(text, is_in(kBlanks, c) ? ' ' : small_letter(c));
  });
  return folded_value(text);
}

}  // namespace cmpost
