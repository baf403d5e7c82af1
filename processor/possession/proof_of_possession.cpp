#include "processor/possession/proof_of_possession.h"

#include <algorithm>

#include "crypto/envelope/envelope.h"
#include "crypto/secrets/key_agreement.h"
#include "crypto/secrets/mac_parameters.h"
#include "processor/admission/received_envelope.h"

namespace cmpost {
namespace {

Checked<PublicKey> decode_key(const SubjectPublicKeyInfo& spki) {
  auto key = PublicKey::from_spki(spki);
  if (!key) {
    return reject(PKIFailureInfo::badCertTemplate,
                  "the public key is not usable: " + key.error().what);
  }
  return std::move(*key);
}

Checked<void> check_signature(const PublicKey& key, const AlgorithmIdentifier& algorithm,
                              ByteView data, ByteView signature) {
  const auto verdict = verify(key, algorithm, data, signature);
  if (!verdict) return reject(PKIFailureInfo::badPOP, verdict.error().what);
  if (*verdict == Verdict::good) return {};
  return reject(PKIFailureInfo::badPOP, "the signature that proves possession of the key is wrong");
}

// The names in a subjectAltName; nullopt: there are none, or they cannot be read.
std::optional<std::vector<GeneralName>> alt_names(const std::optional<Extensions>& extensions) {
  const auto* extension = extensions ? find(*extensions, oid::id_ce_subjectAltName) : nullptr;
  if (extension == nullptr) return std::nullopt;
  der::Reader reader(extension->extnValue);
  auto inside = reader.enter(der::kSequence);
  std::vector<GeneralName> names;
  while (inside && !inside->at_end()) {
    auto one = read_general_name(*inside);
    if (!one) return std::nullopt;
    names.push_back(std::move(*one));
  }
  if (names.empty()) return std::nullopt;
  return names;
}

// A secret has no alternative names: what it may have is for the rights to say.
bool has_own_alt_names(const std::optional<Extensions>& extensions, const Requester& requester) {
  const auto names = alt_names(extensions);
  if (!names) return false;
  return requester.secret() != nullptr || std::ranges::all_of(*names, [&](const GeneralName& one) {
           return requester.is_called(one);
         });
}

bool names_own_certificate(const std::optional<Controls>& controls, const Requester& requester) {
  const auto* holder = requester.certificate();
  const auto* control = controls ? find(*controls, oid::id_regCtrl_oldCertID) : nullptr;
  const auto id = control != nullptr ? read_cert_id(control->value) : der::Parsed<CertId>();
  if (holder == nullptr || control == nullptr || !id) return false;
  const auto issuer = id->issuer.directory_name();
  return issuer && issuer->same(holder->certificate.issuer()) &&
         equal(id->serialNumber, holder->certificate.serial_number());
}

// RFC 4211 4.1: the proof is "performing a signature operation on a piece of data containing the
// identity for which the certificate is desired". An RA speaks for others.
bool names_requester(const std::optional<Name>& subject,
                     const std::optional<Extensions>& extensions, const Requester& requester) {
  if (requester.is_ra() || (subject && !subject->is_null_dn())) return true;
  return has_own_alt_names(extensions, requester);
}

Checked<void> check_names_requester(const CertRequest& wanted, const Requester& requester) {
  const auto& fields = wanted.certTemplate;
  if (names_requester(fields.subject, fields.extensions, requester)) return {};
  if (names_own_certificate(wanted.controls, requester)) return {};
  return reject(PKIFailureInfo::badPOP,
                "the proof does not say whose it is: the template has no subject, and there is "
                "neither poposkInput nor oldCertID");
}

// RFC 4211 4.1: authInfo names the sender when it has been authenticated, else it is a MAC over
// the key under the shared secret.
Checked<void> check_auth_info(const POPOSigningKeyInput& input, const Request& message,
                              const Requester& requester) {
  if (const auto* sender = std::get_if<GeneralName>(&input.authInfo)) {
    if (requester.is_called(*sender)) return {};
    return reject(PKIFailureInfo::badPOP, "authInfo names somebody else than the requester");
  }
  const auto& mac = std::get<PKMACValue>(input.authInfo);
  const auto* holder = requester.secret();
  if (holder == nullptr) {
    return reject(PKIFailureInfo::badPOP, "publicKeyMAC needs a shared secret");
  }
  const auto parameters = mac_parameters(mac.algId, message.channel->mac_limits);
  if (!parameters) return reject(PKIFailureInfo::badPOP, parameters.error().what);
  const auto expected = compute_mac(*parameters, holder->secret.value, {}, input.publicKey.der);
  if (expected && mac.unused_bits == 0 && same_mac(*expected, mac.value)) return {};
  return reject(PKIFailureInfo::badPOP, "publicKeyMAC is wrong");
}

Checked<PublicKey> verify_signing_key(const CertRequest& request, const POPOSigningKey& popo,
                                      const Request& message, const Requester& requester) {
  const auto& wanted = request.certTemplate;
  ASSIGN_OR_RETURN(const auto key, decode_key(*wanted.publicKey));
  if (popo.unused_bits != 0) {
    return reject(PKIFailureInfo::badPOP, "the signature is not a whole number of octets");
  }
  if (!popo.poposkInput) {
    TRY(check_names_requester(request, requester));
    TRY(check_signature(key, popo.algorithmIdentifier, request.der, popo.signature));
    return key;
  }
  // RFC 4211 4.1: "This field MUST be omitted if the certificate template contains both".
  if (wanted.subject && !wanted.subject->is_null_dn()) {
    return reject(PKIFailureInfo::badPOP,
                  "poposkInput is there although the template has subject and key");
  }
  if (!equal(popo.poposkInput->publicKey.der, wanted.publicKey->der)) {
    return reject(PKIFailureInfo::badPOP, "poposkInput and the template have different keys");
  }
  TRY(check_auth_info(*popo.poposkInput, message, requester));
  TRY(check_signature(key, popo.algorithmIdentifier, popo.poposkInput->der, popo.signature));
  return key;
}

// RFC 9810 4.3.4 and R-107: a KEM key has the choice keyEncipherment. For the others OpenSSL's
// client takes it too, whatever they can.
Checked<void> check_choice(const PublicKey& key, bool agreement) {
  if (!can_receive(key)) {
    return reject(PKIFailureInfo::badPOP,
                  "nothing can be encrypted to a key " + key.description() + ": sign the request");
  }
  if (agreement && !can_agree(key)) {
    return reject(PKIFailureInfo::badPOP,
                  "a key " + key.description() + " belongs into the choice keyEncipherment");
  }
  return {};
}

// a MAC over the CertRequest under what the wanted key and one of ours agree on.
Checked<void> verify_agree_mac(const CertRequest& wanted, const PublicKey& key,
                               const PKMACValue& mac, const Request& request,
                               const Services& services) {
  if (request.message.header.pvno < kCmp2021) {
    return reject(PKIFailureInfo::badPOP, "agreeMAC needs pvno 3");
  }
  const auto parameters = mac_parameters(mac.algId, request.channel->mac_limits);
  if (!parameters || !std::holds_alternative<DHBMParameter>(*parameters)) {
    return reject(PKIFailureInfo::badPOP,
                  parameters ? "agreeMAC is not a DHBasedMac" : parameters.error().what);
  }
  const auto* own = services.identity.agreement_key(key, request.message.header.recipKID);
  if (own == nullptr) {
    return reject(PKIFailureInfo::badPOP, "there is no key here that agrees with the wanted one");
  }
  const auto agreed = agree(own->key, key);
  const auto expected =
      agreed ? compute_mac(*parameters, *agreed, {}, wanted.der) : Result<Bytes>(Bytes());
  if (agreed && expected && mac.unused_bits == 0 && same_mac(*expected, mac.value)) return {};
  return reject(PKIFailureInfo::badPOP, "agreeMAC is wrong");
}

bool is_for_subject(const EncKeyWithID& sent, const std::optional<Name>& subject) {
  const auto name = sent.identifier ? sent.identifier->directory_name() : std::nullopt;
  return name && subject && !name->is_null_dn() && name->same(*subject);
}

//
Outcome<PrivateKey> given_key(const CertRequest& wanted, const PublicKey& key,
                              const POPOPrivKey::EncryptedKey& sent, const Request& request,
                              const Requester& requester, const Services& services) {
  if (!request.channel->settings.archive) {
    return reject(PKIFailureInfo::badRequest, "private keys are not archived here");
  }
  if (request.message.header.pvno < kCmp2021) {
    return reject(PKIFailureInfo::badPOP, "encryptedKey needs pvno 3");
  }
  const auto belongs = [&](const EncKeyWithID& opened) {
    return check_identifier(opened, wanted.certTemplate, false, requester).has_value();
  };
  return open_private_key(sent.der, key, belongs, request, requester, services);
}

//
Checked<Possession> judge_challenge(PublicKey&& key, const CertRequest& wanted,
                                    const Request& request) {
  // EnvelopedData is of pvno 3; before that only RSA encrypts by itself.
  if (request.message.header.pvno < kCmp2021 && key.type() != KeyType::rsa) {
    return reject(PKIFailureInfo::badPOP, "challengeResp needs pvno 3 for this key");
  }
  Possession possession{std::move(key)};
  if (request.waited != nullptr) return possession;  // nothing waits before the proof
  if (!request.challenges_met) {
    possession.by_challenge = true;
    return possession;
  }
  const auto& met = *request.challenges_met;
  if (std::ranges::find(met, wanted.certReqId) != met.end()) return possession;
  return reject(PKIFailureInfo::badPOP, "the challenge has not been answered rightly");
}

struct LaterProof {
  const CertRequest& wanted;
  const Request& request;
  const Requester& requester;
  const Services& services;
  bool agreement;

  Outcome<Possession> operator()(const POPOPrivKey::SubsequentMessage& choice) const {
    ASSIGN_OR_RETURN(auto key, decode_key(*wanted.certTemplate.publicKey));
    TRY(check_choice(key, agreement));
    using Choice = POPOPrivKey::SubsequentMessage;
    if (choice == Choice::challengeResp) {
      ASSIGN_OR_RETURN(auto challenged, judge_challenge(std::move(key), wanted, request));
      return challenged;
    }
    // no EnvelopedData for pvno 2.
    const bool can_be_told =
        request.message.header.pvno >= kCmp2021 ||
        (request.channel->settings.encrypted_value && key.type() == KeyType::rsa);
    if (!can_be_told) return reject(PKIFailureInfo::badPOP, "encrCert needs pvno 3 here");
    Possession possession{std::move(key)};
    possession.by_certificate = true;
    return possession;
  }
  Outcome<Possession> operator()(const PKMACValue& mac) const {
    ASSIGN_OR_RETURN(auto key, decode_key(*wanted.certTemplate.publicKey));
    TRY(check_names_requester(wanted, requester));
    TRY(verify_agree_mac(wanted, key, mac, request, services));
    Possession possession{std::move(key)};
    possession.covers_request = true;
    return possession;
  }
  Outcome<Possession> operator()(const POPOPrivKey::EncryptedKey& sent) const {
    ASSIGN_OR_RETURN(auto key, decode_key(*wanted.certTemplate.publicKey));
    ASSIGN_OR_RETURN(auto private_key, given_key(wanted, key, sent, request, requester, services));
    Possession possession{std::move(key)};
    possession.private_key = std::move(private_key);
    return possession;
  }
  // thisMessage and dhMAC are deprecated.
  Outcome<Possession> operator()(const ProofBits&) const {
    return reject(PKIFailureInfo::badPOP, "thisMessage and dhMAC are not accepted");
  }
};

}  // namespace

Outcome<Possession> verify_pop(const CertReqMsg& wanted, const Request& request,
                               const Requester& requester, const Services& services) {
  const auto& key = *wanted.certReq.certTemplate.publicKey;
  if (!wanted.popo) {
    return reject(PKIFailureInfo::badPOP, "there is a key but no proof of possession");
  }
  if (std::holds_alternative<RaVerified>(*wanted.popo)) {
    if (!requester.is_ra()) {
      return reject(PKIFailureInfo::notAuthorized,
                    "raVerified is for registration authorities only");
    }
    ASSIGN_OR_RETURN(auto decoded, decode_key(key));
    return Possession{std::move(decoded)};
  }
  if (const auto* signing = std::get_if<POPOSigningKey>(&*wanted.popo)) {
    ASSIGN_OR_RETURN(auto decoded,
                     verify_signing_key(wanted.certReq, *signing, request, requester));
    Possession possession{std::move(decoded)};
    possession.covers_request = !signing->poposkInput;
    return possession;
  }
  const auto* agreement = std::get_if<KeyAgreement>(&*wanted.popo);
  const auto& choice = agreement != nullptr ? agreement->key.choice
                                            : std::get<KeyEncipherment>(*wanted.popo).key.choice;
  return std::visit(LaterProof{wanted.certReq, request, requester, services, agreement != nullptr},
                    choice);
}

Checked<PublicKey> key_to_challenge(const CertReqMsg& wanted, std::int64_t pvno) {
  const auto not_asked = [] { return reject(PKIFailureInfo::badPOP, "no challenge is asked for"); };
  if (!wanted.popo || !wanted.certReq.certTemplate.publicKey) return not_asked();
  const auto* agreement = std::get_if<KeyAgreement>(&*wanted.popo);
  const auto* encipherment = std::get_if<KeyEncipherment>(&*wanted.popo);
  if (agreement == nullptr && encipherment == nullptr) return not_asked();
  const auto& choice = agreement != nullptr ? agreement->key.choice : encipherment->key.choice;
  const auto* later = std::get_if<POPOPrivKey::SubsequentMessage>(&choice);
  if (later == nullptr || *later != POPOPrivKey::SubsequentMessage::challengeResp) {
    return not_asked();
  }
  ASSIGN_OR_RETURN(auto key, decode_key(*wanted.certReq.certTemplate.publicKey));
  TRY(check_choice(key, agreement != nullptr));
  if (pvno >= kCmp2021 || key.type() == KeyType::rsa) return key;
  return not_asked();
}

Checked<void> check_identifier(const EncKeyWithID& sent, const CertTemplate& wanted, bool covered,
                               const Requester& requester) {
  const auto& subject = wanted.subject;
  const bool named = (sent.identifier && requester.is_called(*sent.identifier)) ||
                     (sent.token && requester.is_called(*sent.token));
  // An RA gives what others have given to it.
  if (named || (requester.is_ra() && is_for_subject(sent, subject))) return {};
  if (sent.identifier || sent.token) {
    return reject(PKIFailureInfo::badPOP, "the encrypted key names somebody else");
  }
  const bool named_by_subject = subject && !subject->is_null_dn();
  const bool own_request = covered && (named_by_subject ? requester.is_called(*subject)
                                                        : requester.certificate() != nullptr);
  if (own_request || requester.is_ra()) return {};
  return reject(PKIFailureInfo::badPOP, "the encrypted key does not say whose it is");
}

Checked<PublicKey> verify_pop(const CertificationRequest& request, const Requester& requester) {
  if (request.version != 0) {
    return reject(
        PKIFailureInfo::badCertTemplate,
        "the PKCS#10 request has version " + std::to_string(request.version) + " instead of 0");
  }
  if (!names_requester(request.subject, request.extensions, requester)) {
    return reject(PKIFailureInfo::badPOP, "the PKCS#10 request does not say whose it is");
  }
  ASSIGN_OR_RETURN(const auto key, decode_key(request.spki));
  TRY(check_signature(key, request.signatureAlgorithm, request.info, request.signature));
  return key;
}

bool proves_by_certificate(const PKIBody& body) {
  const auto* requests = cert_requests(body);
  return requests != nullptr && std::ranges::any_of(*requests, [](const CertReqMsg& message) {
           if (!message.popo) return false;
           const auto* encipherment = std::get_if<KeyEncipherment>(&*message.popo);
           const auto* agreement = std::get_if<KeyAgreement>(&*message.popo);
           if (encipherment == nullptr && agreement == nullptr) return false;
           const auto& choice =
               encipherment != nullptr ? encipherment->key.choice : agreement->key.choice;
           const auto* later = std::get_if<POPOPrivKey::SubsequentMessage>(&choice);
           return later != nullptr && *later == POPOPrivKey::SubsequentMessage::encrCert;
         });
}

}  // namespace cmpost
