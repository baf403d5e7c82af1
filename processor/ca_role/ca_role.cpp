#include "processor/ca_role/ca_role.h"

#include "processor/ca_role/dispatch.h"
#include "processor/ca_role/explain_certificate.h"
#include "processor/ca_role/renewal.h"

namespace cmpost {
namespace {

// What certConf is refused with that ends its transaction; every other fault of it may be mended.
std::optional<std::string_view> why_withdrawn(const Rejection& rejection) {
  if (rejection.failInfo == PKIFailureInfo::badCertId) return "wrong certHash";
  if (rejection.failInfo == PKIFailureInfo::certRevoked) return "revoked before it was confirmed";
  return std::nullopt;
}

// Silence is acceptance, of what was not revoked or put on hold meanwhile.
Result<Effects> keep(const Transaction& transaction, LedgerReader& ledger) {
  Effects effects;
  bool any = false;
  for (const auto& certificate : transaction.certificates) {
    if (certificate.settled) continue;
    ASSIGN_OR_RETURN(const auto record, ledger.find(certificate.serial));
    const bool unconfirmed = record && record->state == CertificateState::unconfirmed;
    if (unconfirmed) {
      effects.state_changes.push_back(
          {certificate.serial, {CertificateState::unconfirmed}, CertificateState::valid});
    }
    any = any || unconfirmed || (record && record->state == CertificateState::valid);
  }
  if (!any) return effects;
  ASSIGN_OR_RETURN(auto retired, retire(transaction, ledger));
  effects.merge(std::move(retired));
  return effects;
}

}  // namespace

Outcome<Answer> CaRole::open(const Request& request, const Requester& requester,
                             Services& services) const {
  CaServices ours{services, authority_};
  return dispatch(request, requester, ours);
}

// a wrong hash is answered with an error, and the certificate counts as not confirmed. So is
// the acceptance of one that was revoked meanwhile: who hears of an error uses none of them.
Outcome<Answer> CaRole::confirm(const Request& request, const Requester& requester,
                                const Transaction& transaction, Services& services) const {
  CaServices ours{services, authority_};
  ASSIGN_OR_RETURN(auto answer, apart(handle_certConf(request, requester, transaction, ours)));
  if (answer) return *std::move(answer);
  const auto why = why_withdrawn(answer.error());
  if (!why) return failure(std::move(answer).error());
  Answer end = refusal(answer.error());
  ASSIGN_OR_RETURN(end.effects, withdraw_refused(transaction, *why, request.now, ours));
  return end;
}

Outcome<Answer> CaRole::give_up(const Request& request, const Requester& requester,
                                const Transaction& transaction, Services& services) const {
  CaServices ours{services, authority_};
  return handle_error(request, requester, transaction, ours);
}

Result<Effects> CaRole::end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                            Services& services) const {
  if (rule == UnconfirmedRule::keep) return keep(transaction, services.ledger);
  CaServices ours{services, authority_};
  auto about = transaction;
  std::erase_if(about.certificates, &TransactionCertificate::settled);
  return withdraw_unconfirmed(about, "not confirmed in time", now, ours);
}

Result<CheckVerdicts> CaRole::explain(const Request& request, const Requester& requester,
                                      Services& services) const {
  CaServices ours{services, authority_};
  return explain_certificates(request, requester, ours);
}

}  // namespace cmpost
