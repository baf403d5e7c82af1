// A flat JSON object as text, for the audit log: one is made for every message, so there is no
// tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cmpost {

class JsonObject {
 public:
  // No value is longer, in octets; what is left out is said in it, see printable().
  static constexpr std::size_t kLongestValue = 1000;

  // Keys are the caller's own words; values are anybody's.
  JsonObject& add(std::string_view key, std::string_view value);
  JsonObject& add_number(std::string_view key, std::int64_t value);
  // What is JSON already: an object, a list, a word of the language.
  JsonObject& add_json(std::string_view key, std::string_view json);
  // Once, at the end.
  std::string text();

 private:
  void begin(std::string_view key);
  void add_escaped(std::string_view value);

  std::string text_;
};

}  // namespace cmpost
