#include "mime/fields.h"

#include "base/ascii.h"
#include "base/bytes.h"
#include "mime/charset.h"
#include "mime/extended_parameters.h"
#include "mime/field_reader.h"
#include "mime/text.h"
#include "mime/words.h"

namespace cmpost {

namespace {

constexpr std::size_t kMostParameters = 100;
constexpr std::size_t kLongestFileName = 255;

Result<Parameter> read_parameter(FieldReader& reader) {
  Parameter parameter;
  parameter.name = lower_ascii(reader.token());
  if (parameter.name.empty()) return hold("has something that is no parameter");
  if (!reader.skip_comments() || !reader.take('=') || !reader.skip_comments()) {
    return hold("has a parameter without a value");
  }
  if (!reader.next_is('"')) {
    parameter.value = reader.loose_token();
    if (parameter.value.empty()) return hold("has a parameter without a value");
    return parameter;
  }
  auto text = reader.quoted_string();
  if (!text) return hold("has a quoted string without its end");
  parameter.value = *std::move(text);
  return parameter;
}

Result<std::string> read_main_value(FieldReader& reader) {
  const auto first = reader.token();
  if (first.empty() || !reader.skip_comments()) return hold("does not start with a word");
  std::string value = lower_ascii(first);
  if (!reader.take('/')) return value;
  if (!reader.skip_comments()) return hold("has a comment without its end");
  const auto second = reader.token();
  if (second.empty()) return hold("has no subtype");
  return value + "/" + lower_ascii(second);
}

std::string_view without_directories(std::string_view name) {
  const auto slash = name.find_last_of("/\\");
  if (slash != name.npos) name.remove_prefix(slash + 1);
  return name == "." || name == ".." ? "" : name;
}

std::string cut_to_file_name(std::string name) {
  while (name.size() > kLongestFileName) {
    // From the front: it is the suffix that says what the file is.
    name.erase(0, std::max<std::size_t>(1, utf8_length(name)));
  }
  return name;
}

}  // namespace

std::string_view ContentField::parameter(std::string_view name) const {
  std::string_view found;
  for (const auto& parameter : parameters) {
    if (parameter.name != name) continue;
    if (parameter.extended) return parameter.value;
    found = parameter.value;
  }
  return found;
}

Result<ContentField> read_content_field(std::string_view value) {
  FieldReader reader(value);
  if (!reader.skip_comments()) return hold("has a comment without its end");
  ContentField field;
  ASSIGN_OR_RETURN(field.value, read_main_value(reader));
  std::vector<Parameter> raw;
  while (true) {
    if (!reader.skip_comments()) return hold("has a comment without its end");
    if (reader.at_end()) break;
    if (!reader.take(';')) return hold("has something that is no parameter");
    if (!reader.skip_comments()) return hold("has a comment without its end");
    if (reader.at_end() || reader.next_is(';')) continue;
    ASSIGN_OR_RETURN(auto parameter, read_parameter(reader));
    raw.push_back(std::move(parameter));
    if (raw.size() > kMostParameters) return hold("has too many parameters");
  }
  ASSIGN_OR_RETURN(field.parameters, joined_parameters(std::move(raw)));
  return field;
}

std::string file_name_of(const ContentField& type, const ContentField& disposition) {
  auto name = disposition.parameter("filename");
  if (name.empty()) name = type.parameter("name");
  const std::string text = decode_words(name);
  return cut_to_file_name(std::string(trimmed(without_directories(text))));
}

}  // namespace cmpost
