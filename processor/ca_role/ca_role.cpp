#include "processor/ca_role/ca_role.h"

#include "processor/admission/device_search.h"
#include "processor/ca_role/dispatch.h"
#include "processor/ca_role/explain_certificate.h"
#include "processor/ca_role/renewal.h"
#include "processor/possession/proof_of_possession.h"
#include "processor/transaction/stored_request.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

// Silence is acceptance, of what was not revoked or put on hold meanwhile.
Result<Effects> keep(const Transaction& transaction, LedgerReader& ledger) {
  Effects effects;
  bool any = false;
  for (const auto& certificate : transaction.certificates) {
    ASSIGN_OR_RETURN(const auto record, ledger.find(certificate.serial));
    const bool unconfirmed = record && record->state == CertificateState::unconfirmed;
    if (unconfirmed) {
      effects.state_changes.push_back(
          {certificate.serial, {CertificateState::unconfirmed}, CertificateState::valid});
    }
    // Renewed in its turn, it has been accepted, too.
    const bool stands = record && (record->state == CertificateState::valid ||
                                   record->state == CertificateState::updated);
    any = any || unconfirmed || stands;
  }
  if (!any) return effects;
  ASSIGN_OR_RETURN(auto retired, retire(transaction, ledger));
  effects.merge(std::move(retired));
  return effects;
}

// Where certConf is what proves possession, silence proves nothing.
Result<bool> awaits_proof(const Transaction& transaction, const Services& services) {
  ASSIGN_OR_RETURN(const auto first,
                   TransactionTable(services.ledger.connection()).first_message(transaction.id));
  if (!first) return hold("the ledger has lost the request " + to_hex(transaction.transactionID));
  ASSIGN_OR_RETURN(const auto request, request_in(*first, services.sealing_key));
  const auto message = decode(request, {});
  if (!message) return hold("the stored request cannot be read: " + message.error().text());
  return proves_by_certificate(message->body);
}

}  // namespace

Outcome<Answer> CaRole::open(const Request& request, const Requester& requester,
                             Services& services) const {
  ASSIGN_OR_RETURN(auto held, hold_unlisted(request, requester));
  if (held) return *std::move(held);
  CaServices ours{services, authority_};
  return dispatch(request, requester, ours);
}

Outcome<Answer> CaRole::confirm(const Request& request, const Requester& requester,
                                const Transaction& transaction, Services& services) const {
  CaServices ours{services, authority_};
  return handle_certConf(request, requester, transaction, ours);
}

Outcome<Answer> CaRole::give_up(const Request& request, const Requester& requester,
                                const Transaction& transaction, Services& services) const {
  CaServices ours{services, authority_};
  return handle_error(request, requester, transaction, ours);
}

namespace {

constexpr const char* kAsksNobody = "this is a CA, which asks no other CA";

}  // namespace

Checked<void> CaRole::check_above(const Request&, const Requester&) const {
  return reject(PKIFailureInfo::badRequest, kAsksNobody);
}

Outcome<Answer> CaRole::hear(const Heard&, Services&) const { return hold(kAsksNobody); }

Outcome<Effects> CaRole::hear_late(const Heard&, Services&) const { return hold(kAsksNobody); }

Outcome<Effects> CaRole::revoke(const Orphan&, Time, Services&) const { return hold(kAsksNobody); }

Outcome<Answer> CaRole::hear_order(const HeardOrder&, Services&) const { return hold(kAsksNobody); }

Outcome<UpstreamMessage> CaRole::ask_again(const UpstreamMessage&, const Request&,
                                           Services&) const {
  return hold(kAsksNobody);
}

Outcome<Effects> CaRole::hear_own(const OwnHeard&, Services&) const { return hold(kAsksNobody); }

Outcome<UpstreamMessage> CaRole::ask_again_own(const UpstreamMessages&, const UpstreamMessage&,
                                               Time, Services&) const {
  return hold(kAsksNobody);
}

Result<UpstreamBatch> CaRole::wrap(const std::vector<UpstreamMessage>&, const ChannelPolicy&, Time,
                                   Services&) const {
  return hold(kAsksNobody);
}

Result<Effects> CaRole::end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                            Services& services) const {
  CaServices ours{services, authority_};
  switch (rule) {
    case UnconfirmedRule::revoke:
      return withdraw_unconfirmed(transaction, "not confirmed in time", now, ours);
    case UnconfirmedRule::keep: {
      ASSIGN_OR_RETURN(const bool unproven, awaits_proof(transaction, services));
      if (!unproven) return keep(transaction, services.ledger);
      return withdraw_unconfirmed(transaction, "possession was not proven in time", now, ours);
    }
    case UnconfirmedRule::alarm:
      break;
  }
  return Effects();
}

Result<CheckVerdicts> CaRole::explain(const Request& request, const Requester& requester,
                                      Services& services) const {
  CaServices ours{services, authority_};
  return explain_certificates(request, requester, ours);
}

}  // namespace cmpost
