// Content-Type, Content-Disposition and their like: RFC 2045 5.1, 2183, 2231.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cmpost {

struct Parameter {
  std::string name;       // lower case, without "*0*"
  std::string value;      // unquoted; when `extended`, decoded to UTF-8
  bool extended = false;  // written as RFC 2231 has it: "name*=", "name*0="
};

struct ContentField {
  std::string value;  // "application/pkixcmp", "attachment"; lower case
  std::vector<Parameter> parameters;

  // The extended one, if there are both (RFC 6266 4.3); empty when there is none.
  std::string_view parameter(std::string_view name) const;
};

// Reads a raw, possibly folded value with comments and quoted strings. An Error (what is wrong with
// the field, to be put into a sentence) for what readers disagree about: a parameter twice with
// different values, gaps in a continuation, something after the value that is no parameter.
Result<ContentField> read_content_field(std::string_view value);

// The file name that a part goes by: `filename` of the disposition or `name` of the type. RFC 2231
// and, in spite of RFC 2047 5 (3), encoded words are decoded. Without directories and control
// characters, UTF-8, at most 255 octets; may be empty.
std::string file_name_of(const ContentField& type, const ContentField& disposition);

}  // namespace cmpost
