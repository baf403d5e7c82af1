// The dialogue with one SMTP server after its login: one mail after the other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mail/wire/octet_stream.h"
#include "mail/wire/smtp_dialogue.h"
#include "mail/wire/smtp_sender.h"

namespace cmpost {

// One thread; `stream` must outlive it.
class SmtpSession {
 public:
  explicit SmtpSession(OctetStream& stream) : stream_(stream) {}

  // EHLO, for the server's extensions. One that refuses it is taken to have none: it has been
  // greeted by who opened the connection already.
  Result<void> greet(std::string_view name);
  Result<void> noop();
  // Makes the server forget the mail before. An Error: connect anew. Not needed where the server
  // takes several commands at once: send() does it then.
  Result<void> reset();
  bool pipelining() const { return extensions_.pipelining; }

  // The envelope has passed check_envelope(), `raw` check_mail(). nullopt: the server has gone
  // since the mail before, this one was not begun; connect anew.
  std::optional<SmtpOutcome> send(const SmtpEnvelope& envelope, ByteView raw);
  // The server's refusal of such a mail before its data; nullopt: it would take it.
  std::optional<SmtpOutcome> ask_whether_mail_goes(const SmtpEnvelope& envelope);
  // Ends the dialogue without waiting for an answer.
  void quit();

 private:
  // Up to the answer to DATA. nullopt: the server waits for the mail.
  std::optional<SmtpOutcome> begin_stepwise(const std::string& mail, const std::string& recipient);
  std::optional<SmtpOutcome> hear_beginning();
  Result<SmtpReply> read_reply();
  Result<SmtpReply> ask(std::string_view command);
  std::optional<SmtpOutcome> step(std::string_view command, int wanted);
  SmtpOutcome send_data(ByteView raw);

  OctetStream& stream_;
  SmtpExtensions extensions_;
  bool used_ = false;  // by a mail: the next one begins with RSET
};

}  // namespace cmpost
