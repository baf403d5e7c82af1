#include "config/text/document.h"

#include <toml++/toml.h>

#include <algorithm>

namespace cmpost {
namespace {

Position position_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

Value convert(const toml::node& node);

Value convert_table(const toml::table& table) {
  Value value;
  for (const auto& [key, node] : table) {
    value.members.push_back({std::string(key.str()), position_of(key.source()), convert(node)});
  }
  // toml++ sorts by name; people read from top to bottom.
  std::stable_sort(value.members.begin(), value.members.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return value;
}

Value convert_array(const toml::array& array) {
  Value value;
  value.kind = Value::Kind::array;
  for (const auto& node : array) value.items.push_back(convert(node));
  return value;
}

Value convert_scalar(const toml::node& node) {
  Value value;
  if (const auto* text = node.as_string()) {
    value.kind = Value::Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Value::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.kind = Value::Kind::number;
    value.number = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Value::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = Value::Kind::date;
  }
  return value;
}

Value convert(const toml::node& node) {
  Value value = node.is_table()   ? convert_table(*node.as_table())
                : node.is_array() ? convert_array(*node.as_array())
                                  : convert_scalar(node);
  value.at = position_of(node.source());
  return value;
}

}  // namespace

const Value::Member* Value::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == members.end() ? nullptr : &*found;
}

std::string_view describe(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::text:
      return "a text";
    case Value::Kind::integer:
    case Value::Kind::number:
      return "a number";
    case Value::Kind::boolean:
      return "true or false";
    case Value::Kind::array:
      return "a list";
    case Value::Kind::table:
      return "a table";
    case Value::Kind::date:
      return "a date or time";
  }
  return "something else";
}

tl::expected<Value, Complaint> parse_document(std::string_view text, const std::string& file) {
  try {
    return convert(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    return tl::unexpected(Complaint{file, position_of(error.source()),
                                    "this is not TOML: " + std::string(error.description()),
                                    "texts need quotes, tables are named [like] or [[like]] this"});
  } catch (const std::exception& error) {
    return tl::unexpected(Complaint{file, {}, std::string("cannot be read: ") + error.what(), ""});
  }
}

}  // namespace cmpost
