// One POP3 session: the maildrop is locked for us until it ends.
#pragma once

#include <map>
#include <memory>

#include "mail/wire/connection.h"
#include "mail/wire/pop3_dialogue.h"

namespace cmpost {

// After an Error the session is good for nothing. begin() as with MailConnection.
class Pop3Session {
 public:
  struct Mail {
    std::uint32_t number = 0;  // in this session
    std::size_t size = 0;
    std::string uidl;
  };

  static Result<std::unique_ptr<Pop3Session>> open(const MailSettings& settings,
                                                   const std::stop_token& stop);

  void begin(const std::stop_token& stop) { connection_->begin(time_limit_, stop); }

  // As the server numbers them, which is usually by arrival.
  const std::vector<Mail>& mails() const { return mails_; }
  // nullptr when there is none. RFC 1939 lets identical mails share a unique-id: the first.
  const Mail* find(const std::string& uidl, std::size_t size) const;

  // The octets, cut after `max`; nullopt when the server does not give them. Once a mail was cut
  // the session is no longer usable().
  Result<std::optional<Bytes>> fetch(const Mail& mail, std::size_t max);
  // What tells this mail from another one that gets the same unique-id later, see HeaderDigest;
  // empty when the server shows neither the header nor the mail.
  Result<std::string> header_digest(const Mail& mail);
  bool usable() const { return usable_; }

  // DELE takes effect when quit() has returned OK, whose "+OK" is the server's acknowledgement.
  Result<void> remove(const Mail& mail);
  Result<void> quit();

 private:
  Pop3Session(std::unique_ptr<MailConnection> connection, Duration time_limit);
  Result<void> learn_mails();

  const std::unique_ptr<MailConnection> connection_;
  const Duration time_limit_;
  Pop3Dialogue dialogue_;
  std::vector<Mail> mails_;
  bool usable_ = true;
};

}  // namespace cmpost
