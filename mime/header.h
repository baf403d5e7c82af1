// One header block (RFC 5322 2.2), strictly: mimetic, and others, end a header at the first line
// that they do not understand and take the rest for the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mime/boundaries.h"
#include "mime/lines.h"
#include "mime/read_mail.h"

namespace cmpost {

// Views into the mail.
struct HeaderField {
  std::string_view name;
  std::string_view value;  // as it stands there, folds included
};

struct Header {
  std::vector<HeaderField> fields;

  // All values of that name, topmost first.
  std::vector<std::string_view> all(std::string_view name) const;
  // The only one; nullopt when there is none or more than one.
  std::optional<std::string_view> only(std::string_view name) const;
};

// Reads up to and including the empty line that ends a header.
Result<Header> read_header(Lines& lines, const Boundaries& boundaries, const MailLimits& limits);

// The fields that can be made out in what need not be a whole header, for instance the part of a
// delivery report that quotes one. Never fails; stops at the first thing that is no field.
Header read_quoted_header(std::string_view text, const MailLimits& limits);

}  // namespace cmpost
