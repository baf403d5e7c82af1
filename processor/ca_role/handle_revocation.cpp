#include <set>

#include "processor/admission/revocation_reason.h"
#include "processor/ca_role/handlers.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

// What the crlEntryDetails of one RevDetails ask for.
struct EntryDetails {
  CRLReason reason = CRLReason::unspecified;
  std::optional<Time> invalidity_date;
};

// RFC 5280 5.3.2: the date "on which it is known or suspected that the private key was
// compromised", which nobody knows of a day to come. It may lie before the certificate was
// issued: the key may be older.
Checked<Time> read_invalidity_date(const Extension& extension, Time now) {
  der::Reader reader(extension.extnValue);
  const auto date = reader.generalized_time();
  if (!date || !reader.finish()) {
    return reject(PKIFailureInfo::badDataFormat, "invalidityDate is not a GeneralizedTime");
  }
  if (*date <= now) return *date;
  return reject(PKIFailureInfo::badRequest, "invalidityDate lies in the future");
}

Checked<EntryDetails> read_entry_details(const std::optional<Extensions>& extensions, bool strict,
                                         Time now) {
  EntryDetails details;
  if (!extensions) {
    if (!strict) return details;
    return reject(PKIFailureInfo::badRequest, "there is no reasonCode");
  }
  int reasons = 0;
  for (const auto& extension : *extensions) {
    if (extension.extnID == oid::id_ce_cRLReasons) {
      ASSIGN_OR_RETURN(details.reason, read_reason(extension));
      ++reasons;
    } else if (extension.extnID == oid::id_ce_invalidityDate) {
      if (details.invalidity_date) {
        return reject(PKIFailureInfo::badRequest, "there are two invalidityDates");
      }
      ASSIGN_OR_RETURN(details.invalidity_date, read_invalidity_date(extension, now));
    } else if (extension.extnID != oid::id_ce_certificateIssuer) {
      return reject(PKIFailureInfo::badDataFormat,
                    "crlEntryDetails has the extension " + extension.extnID.name());
    }
  }
  if (reasons > 1 || (reasons == 0 && strict)) {
    return reject(PKIFailureInfo::badRequest, "there is not exactly one reasonCode");
  }
  return details;
}

// the certificate that issuer and serialNumber name.
Outcome<CertificateRecord> find_target(const CertTemplate& details, const Request& request,
                                       CaServices& services) {
  if (!details.issuer || !details.serialNumber) {
    return reject(PKIFailureInfo::addInfoNotAvailable,
                  "issuer and serialNumber of the certificate are both needed");
  }
  if (!details.issuer->same(services.authority.issuer.certificate().subject())) {
    return reject(PKIFailureInfo::badCertId, "the certificate was issued by another authority");
  }
  ASSIGN_OR_RETURN(auto record, services.ledger.find(*details.serialNumber));
  if (!record) {
    return reject(PKIFailureInfo::badCertId,
                  "no certificate with this serialNumber was issued here");
  }
  if (record->not_after <= request.now) {
    return reject(PKIFailureInfo::certRevoked, "the certificate has expired");
  }
  return std::move(*record);
}

// whatever else the template says must be true of the certificate.
Checked<void> check_description(const CertTemplate& details, const Certificate& target) {
  const auto wrong = [](std::string_view field) {
    return reject(PKIFailureInfo::badCertId,
                  "the certificate has another " + std::string(field) + " than the request says");
  };
  if (details.version && *details.version != 2) {
    return reject(PKIFailureInfo::badRequest, "the template's version is not v3");
  }
  if (details.subject && !details.subject->same(target.subject())) return wrong("subject");
  if (details.publicKey && !equal(details.publicKey->der, target.spki())) return wrong("publicKey");
  if (details.extensions) {
    for (const auto& extension : *details.extensions) {
      const auto* own = find(target.extensions(), extension.extnID);
      if (own == nullptr || own->extnValue != extension.extnValue) return wrong("extension");
    }
  }
  return {};
}

Checked<void> plan_release(const CertificateRecord& target, Effects& effects) {
  if (target.state != CertificateState::held) {
    return reject(PKIFailureInfo::badCertId, "the certificate is not on hold");
  }
  effects.unrevocations.push_back(target.serial);
  const auto state = target.held_from.value_or(CertificateState::valid);
  effects.audit.push_back(released_entry(target.serial, state));
  return {};
}

Checked<void> plan_revocation(const CertificateRecord& target, const EntryDetails& details,
                              const Request& request, std::string_view why, Effects& effects) {
  if (details.reason == CRLReason::removeFromCRL) return plan_release(target, effects);
  const bool held = target.state == CertificateState::held;
  if (target.state == CertificateState::revoked ||
      (held && details.reason == CRLReason::certificateHold)) {
    return reject(PKIFailureInfo::certRevoked, "the certificate is revoked already");
  }
  const Revocation revocation{target.serial, details.reason, request.now, details.invalidity_date};
  effects.audit.push_back(revoked_entry(revocation, why));
  effects.revocations.push_back(revocation);
  return {};
}

// One RevDetails: the CertId for revCerts, and what it changes.
Outcome<CertId> revoke_one(const RevDetails& details, const Request& request,
                           const Requester& requester, CaServices& services, Effects& effects) {
  ASSIGN_OR_RETURN(
      const auto entry,
      read_entry_details(details.crlEntryDetails, request.channel->settings.strict, request.now));
  ASSIGN_OR_RETURN(const auto target, find_target(details.certDetails, request, services));
  const auto certificate = Certificate::from_der(target.der);
  if (!certificate) return failure(certificate.error());
  const bool release = entry.reason == CRLReason::removeFromCRL;
  TRY(check_right(requester.rights, wanted::Revocation{target, certificate->subject(), release}));
  TRY(check_description(details.certDetails, *certificate));
  const auto why = requester.is_ra() ? "rr of a registration authority" : kAskedByHolder;
  TRY(plan_revocation(target, entry, request, why, effects));
  return CertId{GeneralName::of(certificate->issuer()), target.serial};
}

// revoke and revive are not mixed in one message, and nothing is named twice.
Checked<void> check_together(const std::vector<RevDetails>& details, const ChannelPolicy& channel,
                             Time now) {
  if (details.empty()) return reject(PKIFailureInfo::badRequest, "there is nothing to revoke");
  if (channel.settings.strict && details.size() > 1) {
    return reject(PKIFailureInfo::badRequest, "more than one certificate is named");
  }
  std::set<Bytes> serials;
  std::set<bool> revives;
  for (const auto& one : details) {
    if (one.certDetails.serialNumber && !serials.insert(*one.certDetails.serialNumber).second) {
      return reject(PKIFailureInfo::badRequest, "a certificate is named twice");
    }
    const auto entry = read_entry_details(one.crlEntryDetails, false, now);
    if (entry) revives.insert(entry->reason == CRLReason::removeFromCRL);
  }
  if (revives.size() <= 1) return {};
  return reject(PKIFailureInfo::badRequest, "revocation and release are mixed in one request");
}

}  // namespace

Outcome<Answer> handle_revocation(const Request& request, const Requester& requester,
                                  CaServices& services) {
  if (requester.secret() != nullptr && !requester.secret()->revokes) {
    return reject(PKIFailureInfo::wrongIntegrity, "rr is protected by a signature");
  }
  const auto& details = std::get<body::rr>(request.message.body).details;
  const auto together = check_together(details, *request.channel, request.now);
  Answer answer;
  RevRepContent content;
  std::vector<CertId> revoked;
  answer.outcome = "accepted";
  const auto refuse = [&](const Rejection& rejection) {
    content.status.push_back(status_of_many(rejection, content.status.size()));
    answer.refuse(rejection);
  };
  for (const auto& one : details) {
    if (!together) {
      refuse(together.error());
      continue;
    }
    auto id = revoke_one(one, request, requester, services, answer.effects);
    if (id) {
      content.status.push_back({});
      revoked.push_back(std::move(*id));
    } else if (const auto* rejection = id.error().rejection()) {
      refuse(*rejection);
    } else {
      return failure(std::move(id).error());
    }
  }
  if (content.status.empty()) return failure(together.error());  // rp cannot be empty
  answer.partly = answer.refused && !revoked.empty();
  // RFC 9810 5.3.10: "IDs for which revocation was requested (same order as status)".
  if (revoked.size() == content.status.size()) content.revCerts = std::move(revoked);
  answer.body = body::rp{std::move(content)};
  return answer;
}

}  // namespace cmpost
