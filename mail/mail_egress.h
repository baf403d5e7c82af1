// Sends answers, and questions to a CA above, as mails over SMTP.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/channel_settings.h"
#include "mail/answer_signer.h"
#include "mail/wire/smtp_sender.h"
#include "mime/write_mail.h"
#include "outbox/egress.h"

namespace cmpost {

// Route::address of the reply is the recipient. Every try of an answer sends the same octets under
// the same Message-ID, so that one which arrives twice is seen to be one.
//
// An answer is held when the server refuses it for good, when it cannot be made into a mail, or
// when a try fails later than MailSettings::lifetime after its arrival; one that an operator
// releases then is tried once more. The channel is in trouble when there is no logged-in connection
// to be had, or when the connection breaks at two mails running: the rest of the group is then not
// tried, so that a dead server costs two time limits and not five hundred.
class MailEgress final : public Egress {
 public:
  // `direction` is the channel's: what goes upstream is a question. `bounce_key` is secret and
  // stays the same for as long as mails may come back; see bounce_address.h. `clock` must outlive
  // the object. With a `signer` the mails are signed.
  MailEgress(std::string channel, const MailSettings& settings, Direction direction,
             std::string instance, Bytes bounce_key, const Clock& clock,
             std::shared_ptr<const AnswerSigner> signer = nullptr);

  const std::string& channel() const override { return channel_; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  std::size_t group() const override { return 20; }

 private:
  Result<OutgoingMail> written(const Lease& lease) const;
  Result<SmtpOutcome> send_mail(const Lease& lease, const std::stop_token& stop);
  Delivery delivery(const Lease& lease, const SmtpOutcome& outcome) const;
  Delivery try_later(const Lease& lease, const std::string& why) const;

  const std::string channel_;
  const MailSettings settings_;
  const Direction direction_;
  const std::string instance_;
  const Bytes bounce_key_;
  const Clock& clock_;
  const std::shared_ptr<const AnswerSigner> signer_;
  SmtpSender sender_;
};

}  // namespace cmpost
