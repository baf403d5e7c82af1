// A TOML file as a tree of values that know where they stand. Only document.cpp sees toml++.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "config/text/complaint.h"

namespace cmpost {

struct Value {
  enum class Kind { text, integer, number, boolean, array, table, date };
  struct Member;

  Kind kind = Kind::table;
  Position at;
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::vector<Value> items;     // array
  std::vector<Member> members;  // table, in the order of the file

  const Member* find(std::string_view key) const;
};

struct Value::Member {
  std::string key;
  Position at;  // of the key
  Value value;
};

// "a text", "a table", for complaints.
std::string_view describe(Value::Kind kind);

// The file's top table, or the one syntax error at which reading ended.
tl::expected<Value, Complaint> parse_document(std::string_view text, const std::string& file);

}  // namespace cmpost
