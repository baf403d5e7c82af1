// Header fields as they go over the wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mime/read_mail.h"

namespace cmpost {

// Each gives whole lines that end in CRLF. Values that could start another field, or that are not
// what they should be, are Errors that name the field.
Result<std::string> address_field(std::string_view name, std::string_view display_name,
                                  const Mailbox& mailbox);
// UTF-8 for people: as it is, or as encoded words (RFC 2047).
Result<std::string> text_field(std::string_view name, std::string_view text);
Result<std::string> message_ids_field(std::string_view name, const std::vector<std::string>& ids);
// RFC 5322 3.3, in UTC.
Result<std::string> date_field(Time date);

}  // namespace cmpost
