// What is said in SMTP (RFC 5321): replies are read line by line, commands are made of values that
// were checked. Knows no network.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// RFC 5321 4.5.3.1.5 allows 512 octets; servers that put links into their replies need more.
constexpr std::size_t kMaxSmtpReplyLine = 2048;
constexpr std::size_t kMaxSmtpReplyLines = 128;
// RFC 5321 4.5.3.1.6: "including the <CRLF> is 1000 octets".
constexpr std::size_t kMaxMailLine = 998;

struct SmtpReply {
  int code = 0;                    // 200 to 599
  std::string status;              // RFC 3463: "5.1.1"; empty when the reply has none
  std::vector<std::string> lines;  // what stands behind the code; never empty

  int severity() const { return code / 100; }  // RFC 5321 4.2.1: the first digit
  std::string text() const;                    // for people: "550 5.1.1 unknown / ask elsewhere"
};

// Puts the lines of one reply together. Reads hostile input: after an Error nothing more can be
// understood of this server.
class SmtpReplyReader {
 public:
  // One line without its line end. nullopt: the reply goes on. Once a reply is complete the next
  // line begins another.
  Result<std::optional<SmtpReply>> add(std::string_view line);

 private:
  SmtpReply reply_;
};

// What the server says it can, as far as we make use of it.
struct SmtpExtensions {
  bool size = false;        // RFC 1870
  bool dsn = false;         // RFC 3461
  bool pipelining = false;  // RFC 2920
};
SmtpExtensions read_extensions(const SmtpReply& ehlo);

struct SmtpEnvelope {
  std::string sender;  // empty: the null return path
  std::string recipient;
  std::string id;        // comes back in delivery reports
  std::size_t size = 0;  // octets of the mail
};

// An address that cannot end the command it is put into, nor add anything to it.
Result<void> check_envelope(const SmtpEnvelope& envelope);
// The octets can be sent and mean the same to every server: lines end in CRLF, the last one too, no
// CR or LF stands alone, 7 bit, no NUL, no line over kMaxMailLine.
Result<void> check_mail(ByteView raw);

// Commands with their CRLF. The envelope has passed check_envelope().
std::string mail_command(const SmtpEnvelope& envelope, const SmtpExtensions& extensions);
std::string recipient_command(const SmtpEnvelope& envelope, const SmtpExtensions& extensions);
// The mail as it follows DATA (RFC 5321 4.5.2), up to and including the line with the single dot.
// `raw` has passed check_mail().
std::string data_octets(ByteView raw);

}  // namespace cmpost
