// A mail that carries one PKIMessage.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "mime/read_mail.h"

namespace cmpost {

struct OutgoingMail {
  Mailbox from;
  std::string from_name;  // display name; may be empty; UTF-8
  Mailbox to;
  std::optional<Mailbox> reply_to;      // where an answer goes, when not to `from`'s return path
  std::string subject;                  // UTF-8
  std::string message_id;               // "<x@y>", the caller's, stable from try to try
  std::string in_reply_to;              // "<x@y>" or empty
  std::vector<std::string> references;  // "<x@y>"
  Time date{};
  // Auto-Submitted: auto-replied, which nobody may answer; else auto-generated (RFC 3834 5).
  bool auto_replied = true;
  std::string text;       // what a site engineer reads, UTF-8, lines end in LF
  std::string file_name;  // "dev1.ip.pki"; ASCII
  Bytes message;          // DER
};

// The mail as it goes over the wire: strict CRLF, 7 bit, no line over 76 octets but for the
// header's tokens (998), multipart/mixed of text/plain and application/pkixcmp in base64,
// Auto-Submitted, X-Auto-Response-Suppress. The same OutgoingMail gives the same octets: the
// boundary follows from the contents. An Error for a value that cannot be in a header field (line
// breaks, control characters, 8-bit addresses).
Result<Bytes> write_mail(const OutgoingMail& mail);

// The same, clear-signed (RFC 8551 3.5.3): `sign` makes the CMS signature over the octets that it
// is given, with SHA-256. The same mail and signature give the same octets.
using MailSignature = std::function<Result<Bytes>(ByteView entity)>;
Result<Bytes> write_signed_mail(const OutgoingMail& mail, const MailSignature& sign);

}  // namespace cmpost
