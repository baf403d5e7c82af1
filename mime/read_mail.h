// A mail as received: the PKIMessages in it, and what its header says about where it came from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// Checked before memory is taken. What exceeds one makes the whole mail unreadable.
struct MailLimits {
  std::size_t mail = std::size_t{4} << 20U;     // octets, as received
  std::size_t header = std::size_t{64} << 10U;  // of one header block
  std::size_t fields = 200;                     // in one header block
  std::size_t line = 8 << 10;                   // octets of one line outside of bodies
  std::size_t parts = 64;                       // leaves and multiparts together
  std::size_t depth = 8;                        // multiparts and forwarded mails inside one another
  std::size_t messages = 16;                    // PKIMessages
  std::size_t message = std::size_t{1} << 20U;  // octets of one, decoded
};

struct MailPolicy {
  // application/octet-stream, and other types that say nothing, when the file name ends in .pki,
  // .der or .cmp.
  bool octet_stream = true;
  // Of what has such a name the octets decide, whatever its type is: mail programs choose that by
  // the ending of the name, and .der is a certificate on some systems.
  bool (*is_message)(ByteView decoded) = nullptr;
};

// One attachment that is, or claims to be, a PKIMessage. The octets are decoded from their transfer
// encoding and otherwise as sent: bare DER, a TCP-message frame or PEM.
struct MailPart {
  std::string path;  // "1.2": as IMAP numbers parts
  std::string name;  // the file name, decoded, UTF-8, without directories; may be empty
  Bytes content;
};

// One address, strictly: exactly one mailbox, ASCII, no group, no route, no comment, at most 254
// octets; the domain in lower case. What else stands there is nullopt.
struct Mailbox {
  std::string local, domain;
  std::string text() const { return local + "@" + domain; }
  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};
// "a@b" or "Name <a@b>".
std::optional<Mailbox> read_mailbox(std::string_view field_value);

struct IncomingMail {
  std::optional<Mailbox> from;  // nullopt: none, several or malformed
  std::optional<Mailbox> reply_to;
  std::optional<Mailbox> return_path;   // what the delivering server wrote; nullopt also for <>
  std::string message_id;               // "<x@y>", empty when absent or malformed
  std::vector<std::string> references;  // well-formed ones, the last 10; those of
                                        // In-Reply-To where there is no References
  std::string subject;                  // decoded, for people
  std::vector<std::string> authentication_results;  // unfolded values, topmost first
  // Auto-Submitted other than "no", Precedence bulk, list or junk, List-*, X-Auto-Response-Suppress
  // with All or AutoReply, and its like, and all that is below: nobody has written this mail by
  // hand.
  bool automatic = false;
  // A null return path, an automatic reply, a report of any kind, a sender that is a mail system:
  // whatever is sent back may come back in turn (RFC 3834 2).
  bool unanswerable = false;
  bool delivery_report = false;  // multipart/report; report-type=delivery-status
  // Looks like a mail that could not be delivered and comes back, in whatever form; not what says
  // that somebody is on holiday.
  bool returned = false;
  std::string failed_recipient;  // X-Failed-Recipients, for people; may be empty
  std::vector<MailPart> messages;
  // S/MIME at the top: the whole mail has to be unwrapped first. What is only signed is readable
  // all the same: of a clear_signed mail `messages` are there, and nothing is verified.
  enum class Wrapped { no, enveloped, opaque_signed, clear_signed };
  Wrapped wrapped = Wrapped::no;
};

// Reads a whole mail, CRLF or LF. An Error says in words why the mail must be put aside: a limit, a
// multipart without its end, a field that two readers understand differently, TNEF (winmail.dat),
// an attachment whose base64 is damaged. A mail without any PKIMessage is no error: `messages` is
// empty. Reads hostile input; any thread.
Result<IncomingMail> read_mail(ByteView raw, const MailLimits& limits, const MailPolicy& policy);

// What an S/MIME mail wraps, for who can open it.
struct WrappedContent {
  Bytes cms;  // the whole structure; of a clear-signed mail the signature beside the content
  // Of a clear-signed mail the content, header and body, as RFC 8551 3.1.1 has it signed: every
  // line ends in CRLF. It may be read as a mail.
  std::optional<Bytes> entity;
};
// Of a mail with IncomingMail::wrapped. An Error when there is not exactly one content and one
// signature, or when the encoding is damaged.
Result<WrappedContent> read_wrapped(ByteView raw, const MailLimits& limits);

// What a delivery report (RFC 3464) says about one recipient.
struct DeliveryReport {
  enum class Action { failed, delayed, delivered, relayed, expanded };
  std::string recipient;
  Action action = Action::failed;
  std::string status;               // "5.1.1"
  std::string diagnostic;           // the remote server's words, for people
  std::string original_message_id;  // of the mail that is reported on; may be empty
};
// The reports in a mail with IncomingMail::delivery_report.
Result<std::vector<DeliveryReport>> read_delivery_reports(ByteView raw, const MailLimits& limits);

}  // namespace cmpost
