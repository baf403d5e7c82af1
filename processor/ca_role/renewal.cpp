#include "processor/ca_role/renewal.h"

#include <algorithm>

#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

// oldCertId, when present, names the certificate that signed (RFC 9483 4.1.3).
Checked<void> check_old_cert_id(const CertReqMsg& message, const Certificate& old) {
  const Attribute* control = message.certReq.controls
                                 ? find(*message.certReq.controls, oid::id_regCtrl_oldCertID)
                                 : nullptr;
  if (control == nullptr) return {};
  const auto id = read_cert_id(control->value);
  if (!id) return reject(PKIFailureInfo::badDataFormat, "oldCertId is malformed");
  const auto issuer = id->issuer.directory_name();
  if (issuer && issuer->same(old.issuer()) && equal(id->serialNumber, old.serial_number()))
    return {};
  return reject(PKIFailureInfo::badCertId,
                "oldCertId does not name the certificate that signed the request");
}

Outcome<Renewal> check_renewable(const CertificateHolder& holder, const Request& request,
                                 CaServices& services) {
  const auto& record = *holder.record;
  const auto& channel = request.channel->settings;
  ASSIGN_OR_RETURN(const auto open, TransactionTable(services.ledger.connection())
                                        .open_renewals(record.serial, request.transaction));
  // Where silence is acceptance, what has been delivered is accepted.
  const auto accepted = [&](const TransactionTable::OpenRenewal& other) {
    return channel.unconfirmed == UnconfirmedRule::keep && other.channel == channel.name &&
           other.state == TransactionState::open;
  };
  if (!std::ranges::all_of(open, accepted)) {
    return reject(PKIFailureInfo::badRequest,
                  "another renewal of the certificate waits for its confirmation");
  }
  const bool before = record.state == CertificateState::updated || !open.empty();
  if (before && channel.strict) {
    return reject(PKIFailureInfo::certRevoked, "the certificate has been renewed already");
  }
  return Renewal{record.serial, before, open.size()};
}

// The template of a kur says only what is to change.
void complete(CertTemplate& wanted, const Certificate& old) {
  if (!wanted.subject) wanted.subject = old.subject();
  const auto* alt_name = find(old.extensions(), oid::id_ce_subjectAltName);
  if (alt_name == nullptr) return;
  if (!wanted.extensions) wanted.extensions.emplace();
  if (find(*wanted.extensions, oid::id_ce_subjectAltName) == nullptr) {
    wanted.extensions->push_back(*alt_name);
  }
}

}  // namespace

Outcome<PreparedRenewal> prepare_renewal(const CertReqMsg& message, const Request& request,
                                         const Requester& requester, CaServices& services) {
  const auto* holder = requester.certificate();
  if (holder == nullptr || !holder->record) {
    return reject(PKIFailureInfo::notAuthorized,
                  "kur is signed with the certificate of this CA that it renews");
  }
  const auto& old = holder->certificate;
  TRY(check_old_cert_id(message, old));
  ASSIGN_OR_RETURN(auto renewal, check_renewable(*holder, request, services));
  if (message.popo && std::holds_alternative<RaVerified>(*message.popo)) {
    return reject(PKIFailureInfo::badPOP, "raVerified has no place in a kur");
  }
  ASSIGN_OR_RETURN(auto proven, prove(message, request, requester, services));
  CertTemplate wanted = message.certReq.certTemplate;
  complete(wanted, old);
  proven.wish.subject = *wanted.subject;
  proven.wish.extensions = wanted.extensions.value_or(Extensions());
  proven.renews = true;
  if (proven.certProfile.empty()) {
    return reject(PKIFailureInfo::notAuthorized,
                  "the certificate was made by no profile that it could be renewed with");
  }
  TRY(authorise(proven, request, requester));
  return PreparedRenewal{std::move(proven), std::move(renewal)};
}

StateChange mark_updated(const Renewal& renewal) {
  return {renewal.old_serial,
          {CertificateState::unconfirmed, CertificateState::valid, CertificateState::updated},
          CertificateState::updated};
}

Result<Effects> retire(const Transaction& transaction, LedgerReader& ledger) {
  Effects effects;
  if (transaction.old_serial.empty()) return effects;
  ASSIGN_OR_RETURN(const auto old, ledger.find(transaction.old_serial));
  const bool done =
      old && (old->state == CertificateState::valid || old->state == CertificateState::unconfirmed);
  if (done) {
    effects.state_changes.push_back(mark_updated({transaction.old_serial, false}));
  }
  return effects;
}

}  // namespace cmpost
