// The parts of a mail, found by a scanner of our own that takes nothing on trust: limits before
// memory, one pass, and whatever two mail programs might understand differently is an Error.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "mime/encoding.h"
#include "mime/fields.h"
#include "mime/header.h"
#include "mime/read_mail.h"

namespace cmpost {

// Views point into the mail.
struct ScannedPart {
  enum class Kind {
    leaf,
    multipart,
    message  // message/rfc822; what it contains follows
  };
  Kind kind = Kind::leaf;
  std::string path;       // "1.2": as IMAP numbers parts; empty for the outermost multipart
  std::size_t depth = 0;  // multiparts and messages around it
  Header header;
  ContentField type;  // "text/plain" where the header does not say
  ContentField disposition;
  TransferEncoding encoding = TransferEncoding::absent;
  std::string_view body;   // as it stands there; of a multipart up to its closing delimiter
  std::string_view whole;  // header and body, less the line end that belongs to a delimiter
};

// Depth first, as they stand in the mail; the first is the mail itself. A leading "From " line of
// an mbox file is skipped.
Result<std::vector<ScannedPart>> scan(ByteView raw, const MailLimits& limits);

// The mail without such a line.
ByteView without_mbox_line(ByteView raw);

}  // namespace cmpost
