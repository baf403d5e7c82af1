#include "processor/ca_role/cross_certification.h"

#include "processor/possession/controls.h"
#include "processor/possession/proof_of_possession.h"

namespace cmpost {
namespace {

constexpr std::int64_t kV1 = 0, kV3 = 2;

auto incomplete(std::string text) {
  return reject(PKIFailureInfo::badCertTemplate, std::move(text));
}

bool proposes(const CertTemplate& wanted, const Oid& extension) {
  return wanted.extensions && find(*wanted.extensions, extension) != nullptr;
}

// RFC 9810 6.6: "all fields except the serial number [...] must be specified".
Checked<void> check_complete(const CertTemplate& wanted) {
  if (!wanted.version || (*wanted.version != kV1 && *wanted.version != kV3)) {
    return incomplete("the template has no version, v1 or v3");
  }
  if (wanted.serialNumber || wanted.issuerUID || wanted.subjectUID) {
    return incomplete("the template has a serialNumber or a unique identifier");
  }
  if (!wanted.signingAlg) return incomplete("the template has no signingAlg");
  const bool named = wanted.subject &&
                     (!wanted.subject->is_null_dn() || proposes(wanted, oid::id_ce_subjectAltName));
  if (!named) return incomplete("the template has no subject");
  if (!wanted.issuer) return incomplete("the template has no issuer");
  if (!wanted.validity || !wanted.validity->notBefore || !wanted.validity->notAfter) {
    return incomplete("the validity is not completely specified");
  }
  if (*wanted.validity->notAfter <= *wanted.validity->notBefore) {
    return incomplete("the validity ends before it begins");
  }
  if (!wanted.publicKey || wanted.publicKey->key.empty()) {
    return incomplete("the template has no publicKey");
  }
  return {};
}

// What it says of us must be true.
Checked<void> check_for_us(const CertTemplate& wanted, const CaServices& services) {
  const auto& issuer = services.authority.issuer;
  if (!wanted.issuer->same(issuer.certificate().subject())) {
    return reject(PKIFailureInfo::wrongAuthority, "the template names another issuer than " +
                                                      issuer.certificate().subject().text());
  }
  if (*wanted.signingAlg == issuer.signature_algorithm()) return {};
  return reject(PKIFailureInfo::badAlg, "certificates are signed here with " +
                                            issuer.signature_algorithm().algorithm.name());
}

// nobody gives the private key of a CA away.
Checked<void> check_no_private_key(const CertReqMsg& message) {
  const auto& controls = message.certReq.controls;
  const bool archived = controls && find(*controls, oid::id_regCtrl_pkiArchiveOptions) != nullptr;
  const auto* encipherment = message.popo ? std::get_if<KeyEncipherment>(&*message.popo) : nullptr;
  const bool sent = encipherment != nullptr &&
                    std::holds_alternative<POPOPrivKey::EncryptedKey>(encipherment->key.choice);
  if (!archived && !sent) return {};
  return reject(PKIFailureInfo::badRequest, "a ccr has no private key in it");
}

bool is_for_signatures(const PublicKey& key) {
  return key.type() != KeyType::x25519 && key.type() != KeyType::x448 &&
         key.type() != KeyType::other;
}

// D.6 has "POPOSigningKey  present".
Outcome<PublicKey> check_possession(const CertReqMsg& message, const Request& request,
                                    const Requester& requester, const CaServices& services) {
  const bool by_signature = message.popo && std::holds_alternative<POPOSigningKey>(*message.popo);
  auto key = PublicKey::from_spki(*message.certReq.certTemplate.publicKey);
  if (key && !is_for_signatures(*key)) return incomplete("the key is not for signatures");
  if (!by_signature) {
    return reject(PKIFailureInfo::badPOP, "the key of a CA is proven by a signature");
  }
  ASSIGN_OR_RETURN(auto possession, verify_pop(message, request, requester, services));
  return std::move(possession.key);
}

}  // namespace

Outcome<ProvenRequest> prepare_cross_certificate(const CertReqMsg& message, const Request& request,
                                                 const Requester& requester, CaServices& services) {
  const auto& wanted = message.certReq.certTemplate;
  TRY(check_no_private_key(message));
  TRY(check_complete(wanted));
  TRY(check_for_us(wanted, services));
  TRY(check_controls(message, request));
  ASSIGN_OR_RETURN(auto key, check_possession(message, request, requester, services));
  ASSIGN_OR_RETURN(auto name, profile_name(request, message.certReq.certReqId));
  ProvenRequest proven{message.certReq.certReqId,
                       CertificateWish{.subject = *wanted.subject,
                                       .key = std::move(key),
                                       .extensions = wanted.extensions.value_or(Extensions()),
                                       .not_before = wanted.validity->notBefore,
                                       .not_after = wanted.validity->notAfter},
                       std::move(name)};
  proven.wants_v1 = *wanted.version == kV1;
  TRY(authorise(proven, request, requester));
  ASSIGN_OR_RETURN(const auto* const profile, pick_profile(proven.certProfile, *request.channel));
  if (profile->settings().ca) return proven;
  return reject(PKIFailureInfo::notAuthorized,
                "the profile " + profile->name() + " makes no certificates for CAs");
}

}  // namespace cmpost
