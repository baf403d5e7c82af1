#include "mime/words.h"

#include <optional>

#include "base/ascii.h"
#include "base/bytes.h"
#include "mime/charset.h"
#include "mime/text.h"

namespace cmpost {

namespace {

// RFC 2047 2: "An 'encoded-word' may not be more than 75 characters long". These are 60, so that
// the first one has room behind the name of the field: where a value starts with a fold, some
// readers take the fold's blank for a part of it.
constexpr std::size_t kOctetsOfWord = 36;

struct EncodedWord {
  std::string charset;
  std::string octets;
  std::size_t length;  // as written
};

std::optional<std::string> from_q(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=') {
      const auto octet = from_hex(text.substr(i + 1, 2));
      if (!octet || octet->size() != 1) return std::nullopt;
      octets.push_back(static_cast<char>(octet->front()));
      i += 2;
    } else {
      octets.push_back(text[i] == '_' ? ' ' : text[i]);
    }
  }
  return octets;
}

std::optional<std::string> from_b(std::string_view text) {
  const auto octets = from_base64(text);
  return octets ? std::optional(std::string(text_of(*octets))) : std::nullopt;
}

// "=?charset*language?B?text?=" at the front of `text`.
std::optional<EncodedWord> read_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const auto charset_end = text.find('?', 2);
  if (charset_end == text.npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?') {
    return std::nullopt;
  }
  const auto start = charset_end + 3;
  const auto end = text.find("?=", start);
  // The longest is checked, so that many beginnings without an end stay cheap.
  if (end == text.npos || end > 1000) return std::nullopt;
  const auto encoded = text.substr(start, end - start);
  if (encoded.find_first_of(" \t?") != encoded.npos) return std::nullopt;
  const auto how = lower_ascii(text.substr(charset_end + 1, 1));
  auto octets = how == "b" ? from_b(encoded) : how == "q" ? from_q(encoded) : std::nullopt;
  if (!octets) return std::nullopt;
  auto charset = text.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));  // RFC 2231 5: a language may follow
  return EncodedWord{std::string(charset), *std::move(octets), end + 2};
}

// Collects text, so that a character that is cut by the end of an encoded word is put together.
class Words {
 public:
  void add(const std::string& charset, std::string_view octets) {
    if (charset != charset_) flush();
    charset_ = charset;
    pending_ += octets;
  }
  std::string text() {
    flush();
    return std::move(text_);
  }

 private:
  void flush() {
    text_ += to_utf8(charset_, pending_);
    pending_.clear();
  }
  std::string text_, pending_, charset_;
};

}  // namespace

std::string decode_words(std::string_view text) {
  Words words;
  std::string blanks;  // between two encoded words they are not part of the text (RFC 2047 6.2)
  bool after_word = false;
  while (!text.empty()) {
    if (auto word = read_word(text.substr(0, 1100))) {
      if (!after_word) words.add("", blanks);
      words.add(lower_ascii(word->charset), word->octets);
      text.remove_prefix(word->length);
      after_word = true;
      blanks.clear();
    } else if (is_blank(text.front())) {
      blanks.push_back(' ');
      text.remove_prefix(1);
    } else {
      words.add("", blanks + text.front());
      text.remove_prefix(1);
      after_word = false;
      blanks.clear();
    }
  }
  words.add("", blanks);
  return words.text();
}

std::string encode_words(std::string_view text) {
  std::string encoded;
  while (!text.empty()) {
    std::size_t length = 0;
    while (length < text.size()) {
      const auto next = std::max<std::size_t>(1, utf8_length(text.substr(length)));
      if (length + next > kOctetsOfWord) break;
      length += next;
    }
    if (!encoded.empty()) encoded += "\r\n ";
    encoded += "=?UTF-8?B?" + to_base64(view_of(text.substr(0, length))) + "?=";
    text.remove_prefix(length);
  }
  return encoded;
}

}  // namespace cmpost
