#include "processor/ca_role/ca_role.h"

#include "processor/ca_role/dispatch.h"
#include "processor/ca_role/explain_certificate.h"
#include "processor/ca_role/renewal.h"

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

Result<Effects> CaRole::end(const Transaction& transaction, UnconfirmedRule rule, Time now,
                            Services& services) const {
  CaServices ours{services, authority_};
  auto about = transaction;
  std::erase_if(about.certificates, &TransactionCertificate::settled);
  switch (rule) {
    case UnconfirmedRule::revoke:
      return withdraw_unconfirmed(about, "not confirmed in time", now, ours);
    case UnconfirmedRule::keep:
      return keep(about, services.ledger);
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
