// The words of a structured header field (RFC 822 3.3, RFC 2045 5.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmpost {

// Goes through one value from left to right. Copies nothing but what a quoted string says.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool take(char c);

  // Over blanks, folds and comments; false when a comment has no end.
  bool skip_comments();
  // RFC 2045's token; empty when none stands here.
  std::string_view token();
  // An unquoted parameter value. Mail programs write '=', '/' and others without the quotes that
  // RFC 2045 demands; nobody takes them for something else.
  std::string_view loose_token();
  // The text inside, unescaped; nullopt without the closing quote.
  std::optional<std::string> quoted_string();

 private:
  std::string_view take_while(bool (*belongs)(char));

  std::string_view rest_;
};

}  // namespace cmpost
