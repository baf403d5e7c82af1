#include "processor/ra_role/late_answer.h"

#include <algorithm>

#include "base/json_object.h"
#include "base/log.h"
#include "processor/ra_role/heard_answer.h"
#include "processor/ra_role/local_confirmation.h"
#include "processor/ra_role/upward.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

OrphanState first_state(RaSettings::Orphans rule) {
  switch (rule) {
    case RaSettings::Orphans::revoke:
      return OrphanState::wanted;
    case RaSettings::Orphans::keep:
      return OrphanState::kept;
    default:
      return OrphanState::open;
  }
}

bool is_known(const Certificate& certificate, const Transaction& transaction) {
  return std::ranges::any_of(transaction.certificates, [&](const TransactionCertificate& one) {
    return equal(certificate.serial_number(), one.serial);
  });
}

Orphan orphan_of(const Certificate& certificate, const Heard& late, RaSettings::Orphans rule) {
  Orphan orphan;
  orphan.transaction = late.transaction.id;
  orphan.transactionID = late.transaction.transactionID;
  orphan.channel = late.answer.channel->settings.name;
  orphan.der = to_bytes(certificate.der());
  orphan.serial = to_bytes(certificate.serial_number());
  orphan.issuer = certificate.issuer().text();
  orphan.subject = certificate.subject_text();
  orphan.why = late.asked.state == UpstreamState::unanswered
                   ? "it came when its requester had been told that there is none"
               : late.asked.state == UpstreamState::given_up
                   ? "its requester has ended the transaction"
                   : "its requester has another answer";
  orphan.since = late.answer.now;
  orphan.state = first_state(rule);
  if (orphan.state == OrphanState::kept) orphan.note = "by `orphans` of the settings";
  return orphan;
}

AuditEntry orphan_entry(const Orphan& orphan) {
  return {"upstream.orphan", JsonObject()
                                 .add("tid", to_hex(orphan.transactionID))
                                 .add("serial", to_hex(orphan.serial))
                                 .add("channel", orphan.channel)
                                 .add("state", to_string(orphan.state))
                                 .text()};
}

}  // namespace

Outcome<Effects> orphans_in(const Heard& late, RaSettings::Orphans rule) {
  const auto& body = late.answer.message.body;
  TRY(check_answers(late.asked, late.question.message.body, body));
  Effects effects;
  const auto* content = cert_response(body);
  if (content == nullptr) return effects;
  for (const auto& response : content->response) {
    const auto* der = certificate_in(response);
    if (der == nullptr) continue;
    const auto certificate = Certificate::from_der(der->der);
    if (!certificate || is_known(*certificate, late.transaction)) continue;
    effects.orphans.push_back(orphan_of(*certificate, late, rule));
    effects.audit.push_back(orphan_entry(effects.orphans.back()));
    log::error("upstream.orphan", {{"tid", to_hex(late.transaction.transactionID)},
                                   {"serial", to_hex(effects.orphans.back().serial)},
                                   {"why", effects.orphans.back().why}});
  }
  return effects;
}

Outcome<Effects> ask_for_revocation(const Orphan& orphan, const ChannelPolicies& channels, Time now,
                                    Services& services) {
  const auto found = channels.find(orphan.channel);
  if (found == channels.end()) {
    return reject(PKIFailureInfo::systemFailure,
                  "the channel " + orphan.channel + " is not configured any more");
  }
  const auto& channel = found->second;
  if (!channel.settings.upstream.secret.empty()) {
    return reject(PKIFailureInfo::notAuthorized,
                  "the CA believes this RA by a secret, under which it takes no rr");
  }
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(orphan.der));
  auto& connection = services.ledger.connection();
  ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection).find(orphan.transaction));
  ASSIGN_OR_RETURN(const auto messages,
                   UpstreamTable(connection).of_transaction(orphan.transaction));
  UpstreamMessage about;
  about.transaction = orphan.transaction;
  about.mode = UpstreamMode::reprotect;
  about.transactionID = services.random.bytes(16);
  body::rr rr;
  rr.details.push_back(revocation_of(certificate));
  ASSIGN_OR_RETURN(auto message, make_own(std::move(rr), about, transaction ? transaction->pvno : 2,
                                          std::nullopt, channel, now, services));
  constexpr std::int64_t kBehindForgottenOnes = 1000;
  message.seq = messages.empty() ? kBehindForgottenOnes : messages.back().seq + 1;
  Effects effects;
  effects.orphan_changes.push_back({.id = orphan.id,
                                    .from = {OrphanState::wanted},
                                    .to = OrphanState::asked,
                                    .refusal = message.transactionID});
  effects.send_up.push_back(std::move(message));
  return effects;
}

}  // namespace cmpost
