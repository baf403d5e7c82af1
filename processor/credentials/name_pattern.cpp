#include "processor/credentials/name_pattern.h"

#include <algorithm>

#include "base/ascii.h"

namespace cmpost {
namespace {

constexpr char kStar = '*';

bool has_star(std::string_view text) { return text.find(kStar) != std::string_view::npos; }

// The next code point of UTF-8 that decoded without a fault; 0 for anything else.
char32_t next_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (size > text.size() || (first >= 0x80 && first < 0xc0)) {
    text = {};
    return 0;
  }
  char32_t point = size == 1 ? first : first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xc0U) != 0x80) return 0;
    point = point << 6 | (octet & 0x3fU);
  }
  text.remove_prefix(size);
  return point;
}

// Characters that show nothing, or turn what follows around: two names that look the same.
bool is_invisible(char32_t point) {
  const auto between = [&](char32_t first, char32_t last) {
    return point >= first && point <= last;
  };
  // Unicode's Default_Ignorable_Code_Point, controls, and blanks other than the usual one.
  return point < 0x20 || between(0x7f, 0xa0) || point == 0xad || point == 0x34f || point == 0x61c ||
         between(0x115f, 0x1160) || point == 0x1680 || between(0x17b4, 0x17b5) ||
         between(0x180b, 0x180f) || between(0x2000, 0x200f) || between(0x2028, 0x202f) ||
         between(0x205f, 0x206f) || point == 0x3000 || point == 0x3164 || between(0xfe00, 0xfe0f) ||
         point == 0xfeff || point == 0xffa0 || between(0xfff0, 0xfffb) ||
         between(0x1bca0, 0x1bca3) || between(0x1d173, 0x1d17a) || between(0xe0000, 0xe0fff);
}

// No name that a pattern is about is longer; looking at one costs its length times the pattern's.
constexpr std::size_t kLongest = 1024;

bool is_visible_text(std::string_view text) {
  if (text.size() > kLongest || text.find_first_not_of(' ') == std::string_view::npos) return false;
  while (!text.empty()) {
    if (is_invisible(next_code_point(text))) return false;
  }
  return true;
}

// Whether `text` is `pattern` where each '*' stands for a run of characters of which `may` holds,
// at least `least` of them.
template <typename MayCover>
bool matches(std::string_view pattern, std::string_view text, std::size_t least, MayCover may) {
  std::vector<bool> reached(text.size() + 1, false);  // ends of what the pattern so far covers
  reached[0] = true;
  for (const char letter : pattern) {
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      const bool stays = letter == kStar && least == 0 && reached[i];
      const bool goes_on =
          i > 0 && (letter == kStar ? (reached[i - 1] || next[i - 1]) && may(text[i - 1])
                                    : reached[i - 1] && letter == text[i - 1]);
      next[i] = stays || goes_on;
    }
    reached = std::move(next);
  }
  return reached[text.size()];
}

// What a '*' of a subject stands for. Not for another '*', which is a pattern to whoever compares
// names next, nor for what would end the value where names are written as text ("/CN=", ",CN=").
bool is_of_value(char c) { return c != kStar && c != '/' && c != '=' && c != '\\'; }

bool covers(const AttributeTypeAndValue& pattern, const AttributeTypeAndValue& value) {
  if (pattern.type != value.type || pattern.is_text != value.is_text) return false;
  if (!value.is_text) return pattern.value == value.value;
  if (!is_visible_text(value.value)) return false;
  return matches(folded_value(pattern.value), folded_value(value.value), 0, is_of_value);
}

// Each attribute of the subject counts for one of the pattern only. A pattern's RDN has a handful.
bool covers_all(const RelativeDistinguishedName& pattern, std::size_t first,
                RelativeDistinguishedName values) {
  if (first == pattern.size()) return values.empty();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!covers(pattern[first], values[i])) continue;
    auto rest = values;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (covers_all(pattern, first + 1, std::move(rest))) return true;
  }
  return false;
}

bool covers_rdn(const RelativeDistinguishedName& pattern, const RelativeDistinguishedName& value) {
  return pattern.size() == value.size() && covers_all(pattern, 0, value);
}

// In a copy where escaped stars have become this octet, which no name has.
constexpr char kLiteralStar = '\x01';

std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == kStar;
    if (escaped) ++i;
    out += escaped ? kLiteralStar : text[i];
  }
  return out;
}

std::string with(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

bool is_of_label(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string substituted(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  while (true) {
    const auto found = from.empty() ? std::string_view::npos : text.find(from);
    out += text.substr(0, found);
    if (found == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(found + from.size());
  }
}

// Stands for the star while a name is read: serialNumber and others have no '*' (PrintableString).
std::string word_that_is_not_in(std::string_view text) {
  std::string word = "star";
  while (text.find(word) != std::string_view::npos) word += "x";
  return word;
}

}  // namespace

Result<SubjectPattern> SubjectPattern::parse(std::string_view text) {
  if (lower_ascii(text).find("\\2a") != std::string::npos) {
    return hold("a '*' itself cannot stand in a pattern of subjects",
                "without the escape it is any run of characters");
  }
  SubjectPattern pattern;
  const auto word = has_star(text) ? word_that_is_not_in(text) : std::string();
  ASSIGN_OR_RETURN(pattern.name_, Name::from_text(substituted(text, "*", word)));
  if (pattern.name_.is_null_dn()) {
    return hold("the pattern of a subject is empty", "such as \"CN=dev-*,O=Grid\", or \"any\"");
  }
  pattern.rdns_ = pattern.name_.rdns();
  for (auto& rdn : pattern.rdns_) {
    for (auto& one : rdn) {
      one.value = substituted(one.value, word, "*");
      pattern.exact_ = pattern.exact_ && !has_star(one.value);
    }
  }
  return pattern;
}

bool SubjectPattern::covers(const Name& subject) const {
  return std::ranges::equal(rdns_, subject.rdns(), covers_rdn);
}

Result<AlternativeNamePattern> AlternativeNamePattern::parse(std::string_view text) {
  const auto marked = without_escapes(text);
  AlternativeNamePattern pattern;
  if (!has_star(marked)) {
    ASSIGN_OR_RETURN(pattern.exact_, GeneralName::from_text(with(marked, kLiteralStar, kStar)));
    return pattern;
  }
  // With something in the place of the star it is a name, or not.
  const auto sample = with(with(marked, kStar, '1'), kLiteralStar, '1');
  ASSIGN_OR_RETURN(const auto name, GeneralName::from_text(sample));
  if (name.directory_name()) {
    return hold("'" + printable(text) + "': no '*' in the pattern of a dirName");
  }
  pattern.with_stars_ = lower_ascii(marked);
  return pattern;
}

bool AlternativeNamePattern::covers(const GeneralName& name) const {
  if (with_stars_.empty()) return exact_.same(name);
  const auto text = name.text();
  if (text.size() > kLongest) return false;
  const auto plain = [](char c) { return c > ' ' && c < '\x7f'; };
  // What text() would have to spell otherwise is nothing that a pattern is about.
  if (!std::ranges::all_of(text, plain) || !GeneralName::from_text(text) ||
      *GeneralName::from_text(text) != name) {
    return false;
  }
  return matches(with_stars_, with(lower_ascii(text), kStar, kLiteralStar), 1, is_of_label);
}

}  // namespace cmpost
