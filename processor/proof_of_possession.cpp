#include "processor/proof_of_possession.h"

#include "crypto/mac.h"

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

// RFC 4211 4.1: authInfo names the sender when it has been authenticated, else it is a MAC over
// the key under the shared secret.
Checked<void> check_auth_info(const POPOSigningKeyInput& input, const PKIHeader& header,
                              const Requester& requester) {
  if (const auto* sender = std::get_if<GeneralName>(&input.authInfo)) {
    if (*sender == header.sender) return {};
    return reject(PKIFailureInfo::badPOP, "authInfo names somebody else than the sender");
  }
  const auto& mac = std::get<PKMACValue>(input.authInfo);
  const auto* holder = requester.secret();
  if (holder == nullptr) {
    return reject(PKIFailureInfo::badPOP, "publicKeyMAC needs a shared secret");
  }
  const auto parameter = pbm_parameter(mac.algId, PBMLimits{});
  if (!parameter) return reject(PKIFailureInfo::badPOP, parameter.error().what);
  const auto expected = password_based_mac(*parameter, holder->secret.value, input.publicKey.der);
  if (expected && mac.unused_bits == 0 && same_mac(*expected, mac.value)) return {};
  return reject(PKIFailureInfo::badPOP, "publicKeyMAC is wrong");
}

Checked<PublicKey> verify_signing_key(const CertRequest& request, const POPOSigningKey& popo,
                                      const PKIHeader& header, const Requester& requester) {
  const auto& wanted = request.certTemplate;
  ASSIGN_OR_RETURN(const auto key, decode_key(*wanted.publicKey));
  if (popo.unused_bits != 0) {
    return reject(PKIFailureInfo::badPOP, "the signature is not a whole number of octets");
  }
  if (!popo.poposkInput) {
    TRY(check_signature(key, popo.algorithmIdentifier, request.der, popo.signature));
    return key;
  }
  // RFC 4211 4.1: "This field MUST be omitted if the certificate template contains both".
  if (wanted.subject) {
    return reject(PKIFailureInfo::badPOP,
                  "poposkInput is there although the template has subject and key");
  }
  if (!equal(popo.poposkInput->publicKey.der, wanted.publicKey->der)) {
    return reject(PKIFailureInfo::badPOP, "poposkInput and the template have different keys");
  }
  TRY(check_auth_info(*popo.poposkInput, header, requester));
  TRY(check_signature(key, popo.algorithmIdentifier, popo.poposkInput->der, popo.signature));
  return key;
}

}  // namespace

Checked<PublicKey> verify_pop(const CertReqMsg& request, const PKIHeader& header,
                              const Requester& requester) {
  const auto& wanted = request.certReq.certTemplate;
  if (!wanted.publicKey || wanted.publicKey->key.empty()) {
    return reject(PKIFailureInfo::badCertTemplate,
                  "the template has no public key, and keys are not generated here");
  }
  if (!request.popo) {
    return reject(PKIFailureInfo::badPOP, "there is a key but no proof of possession");
  }
  if (std::holds_alternative<RaVerified>(*request.popo)) {
    if (requester.is_ra()) return decode_key(*wanted.publicKey);
    return reject(PKIFailureInfo::notAuthorized, "raVerified is for registration authorities only");
  }
  if (const auto* signing = std::get_if<POPOSigningKey>(&*request.popo)) {
    return verify_signing_key(request.certReq, *signing, header, requester);
  }
  return reject(PKIFailureInfo::badPOP, "only a signature is accepted as proof of possession");
}

Checked<PublicKey> verify_pop(const CertificationRequest& request) {
  if (request.version != 0) {
    return reject(
        PKIFailureInfo::badCertTemplate,
        "the PKCS#10 request has version " + std::to_string(request.version) + " instead of 0");
  }
  ASSIGN_OR_RETURN(const auto key, decode_key(request.spki));
  TRY(check_signature(key, request.signatureAlgorithm, request.info, request.signature));
  return key;
}

}  // namespace cmpost
