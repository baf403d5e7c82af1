#include "base/json_object.h"

#include <utility>

#include "base/bytes.h"
#include "base/printable.h"

namespace cmpost {

void JsonObject::begin(std::string_view key) {
  constexpr std::size_t kUsual = 320;
  if (text_.empty()) text_.reserve(kUsual);
  text_ += text_.empty() ? "{\"" : ",\"";
  text_ += key;
  text_ += "\":";
}

JsonObject& JsonObject::add(std::string_view key, std::string_view value) {
  begin(key);
  text_ += '"';
  add_escaped(printable(value, kLongestValue));
  text_ += '"';
  return *this;
}

JsonObject& JsonObject::add_number(std::string_view key, std::int64_t value) {
  begin(key);
  text_ += std::to_string(value);
  return *this;
}

JsonObject& JsonObject::add_json(std::string_view key, std::string_view json) {
  begin(key);
  text_ += json;
  return *this;
}

std::string JsonObject::text() {
  text_ += text_.empty() ? "{}" : "}";
  return std::move(text_);
}

// Whole runs at a time: next to nothing needs an escape.
void JsonObject::add_escaped(std::string_view value) {
  std::size_t written = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '"' && value[i] != '\\') continue;
    text_ += value.substr(written, i - written);
    text_ += '\\';
    written = i;
  }
  text_ += value.substr(written);
}

}  // namespace cmpost
