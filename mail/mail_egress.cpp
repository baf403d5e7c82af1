#include "mail/mail_egress.h"

#include <utility>

#include "mail/answer_mail.h"
#include "mail/bounce_address.h"

namespace cmpost {
namespace {

// One mail may break the connection by something that is in it, the next one hardly.
constexpr int kLostInARow = 2;

Delivery held(std::string why) { return {Delivery::What::held, std::move(why)}; }
Delivery stopped() { return {Delivery::What::deferred, "the service was stopped"}; }

}  // namespace

MailEgress::MailEgress(std::string channel, const MailSettings& settings, Direction direction,
                       std::string instance, Bytes bounce_key, const Clock& clock,
                       std::shared_ptr<const AnswerSigner> signer)
    : channel_(std::move(channel)),
      settings_(settings),
      direction_(direction),
      instance_(std::move(instance)),
      bounce_key_(std::move(bounce_key)),
      clock_(clock),
      signer_(std::move(signer)),
      sender_(settings_) {}

Deliveries MailEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  Deliveries deliveries;
  int lost = 0;
  for (const auto& lease : leases) {
    if (stop.stop_requested()) {
      deliveries.each.push_back(stopped());
      continue;
    }
    if (deliveries.trouble) {
      deliveries.each.push_back({Delivery::What::deferred, deliveries.trouble->what});
      continue;
    }
    const auto outcome = send_mail(lease, stop);
    if (!outcome) {
      deliveries.each.push_back(held(to_string(outcome.error())));
      continue;
    }
    if (outcome->disconnected && stop.stop_requested()) {
      deliveries.each.push_back(stopped());
      continue;
    }
    deliveries.each.push_back(delivery(lease, *outcome));
    lost = outcome->disconnected ? lost + 1 : 0;
    if (outcome->what == SmtpOutcome::What::channel || lost == kLostInARow) {
      deliveries.trouble = Error{Recovery::retry, outcome->detail, {}};
    }
  }
  return deliveries;
}

Result<OutgoingMail> MailEgress::written(const Lease& lease) const {
  return direction_ == Direction::upstream ? question_mail(settings_, instance_, lease)
                                           : answer_mail(settings_, instance_, lease);
}

Result<SmtpOutcome> MailEgress::send_mail(const Lease& lease, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const auto mail, written(lease));
  ASSIGN_OR_RETURN(const Bytes raw, signer_ ? signer_->write(mail) : write_mail(mail));
  ASSIGN_OR_RETURN(const auto sender, bounce_address(mail.from, lease.job.id, bounce_key_));
  return sender_.send(sender.text(), mail.to, lease.job.id.text(), raw, stop);
}

Delivery MailEgress::delivery(const Lease& lease, const SmtpOutcome& outcome) const {
  using What = SmtpOutcome::What;
  switch (outcome.what) {
    case What::accepted:
      return {Delivery::What::sent, lease.job.envelope.reply.address + " " +
                                        answer_message_id(settings_, instance_, lease.job.id) +
                                        " " + outcome.detail};
    case What::temporary:
      return try_later(lease, outcome.detail);
    case What::unknown:
      return try_later(lease, "possible duplicate: " + outcome.detail);
    case What::channel:
      return {Delivery::What::deferred, outcome.detail};
    case What::permanent:
      break;
  }
  return held(outcome.detail);
}

Delivery MailEgress::try_later(const Lease& lease, const std::string& why) const {
  if (clock_.now() - lease.arrived <= settings_.lifetime) return {Delivery::What::deferred, why};
  const auto hours = std::chrono::floor<std::chrono::hours>(settings_.lifetime).count();
  return held("not sent within " + std::to_string(hours) + " hours: " + why);
}

}  // namespace cmpost
