#include "mime/field_reader.h"

#include "mime/text.h"

namespace cmpost {

namespace {

bool in_token(char c) {
  return is_visible(c) && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

bool in_loose_token(char c) {
  return is_visible(c) && std::string_view("();\\\"").find(c) == std::string_view::npos;
}

bool is_folding_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

}  // namespace

bool FieldReader::take(char c) {
  if (!next_is(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool FieldReader::skip_comments() {
  int open = 0;  // comments nest
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '(') {
      ++open;
    } else if (open > 0 && c == ')') {
      --open;
    } else if (open > 0 && c == '\\') {
      rest_.remove_prefix(1);
      if (rest_.empty()) return false;
    } else if (open == 0 && !is_folding_space(c)) {
      return true;
    }
    rest_.remove_prefix(1);
  }
  return open == 0;
}

std::string_view FieldReader::take_while(bool (*belongs)(char)) {
  std::size_t length = 0;
  while (length < rest_.size() && belongs(rest_[length])) ++length;
  const auto taken = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return taken;
}

std::string_view FieldReader::token() { return take_while(in_token); }
std::string_view FieldReader::loose_token() { return take_while(in_loose_token); }

std::optional<std::string> FieldReader::quoted_string() {
  if (!take('"')) return std::nullopt;
  std::string text;
  while (!rest_.empty()) {
    char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '"') return text;
    if (c == '\r' || c == '\n') continue;  // a fold: only its blank belongs to the text
    if (c == '\\') {
      if (rest_.empty()) return std::nullopt;
      c = rest_.front();
      rest_.remove_prefix(1);
    }
    text.push_back(c);
  }
  return std::nullopt;
}

}  // namespace cmpost
