#include "processor/ca_role/encrypted_delivery.h"

#include <algorithm>

#include "base/ascii.h"
#include "crypto/envelope/encrypted_value.h"
#include "crypto/envelope/key_package.h"
#include "crypto/secrets/key_agreement.h"
#include "processor/admission/private_key_leaves.h"

namespace cmpost {
namespace {

// The secret opens the private key, and the answer lies around for long: nothing that can be
// guessed will do (RFC 9483 4.1.6.3: "SHALL NOT be less than the security strength").
constexpr std::size_t kMinSecret = 16;
constexpr double kMinSecretBits = 112;

// [0] EnvelopedData in EncryptedKey: the implicit tag takes the place of the SEQUENCE's.
EncryptedKey as_encrypted_key(Bytes&& enveloped) {
  enveloped[0] = der::context_constructed(0);
  return {EncryptedKey::Kind::envelopedData, std::move(enveloped)};
}

Checked<Recipient> recipient_for(const Requester& requester) {
  if (const auto* holder = requester.secret()) {
    const auto& secret = holder->secret.value;
    if (secret.size() < kMinSecret || guessing_bits(secret) < kMinSecretBits) {
      return reject(PKIFailureInfo::notAuthorized,
                    "the shared secret is too short or too simple to protect a private key");
    }
    return PasswordRecipient{holder->secret.value};
  }
  const auto& certificate = requester.certificate()->certificate;
  auto recipient = recipient_of(certificate);
  if (!recipient || !can_receive(recipient->key)) {
    return reject(PKIFailureInfo::notAuthorized,
                  "nothing can be encrypted to the certificate that protects the request");
  }
  const auto usage =
      can_agree(recipient->key) ? KeyUsageBit::keyAgreement : KeyUsageBit::keyEncipherment;
  if (!certificate.allows(usage)) {
    return reject(PKIFailureInfo::notAuthorized,
                  "the certificate that protects the request is not for encryption");
  }
  return *std::move(recipient);
}

// id-regCtrl-rsaKeyLen says how long.
Checked<std::string> wished_rsa(const CertRequest& wanted, const std::string& usual) {
  const auto* length =
      wanted.controls ? find(*wanted.controls, oid::id_regCtrl_rsaKeyLen) : nullptr;
  if (length == nullptr) return usual.starts_with("rsa:") ? usual : std::string("rsa:3072");
  der::Reader reader(length->value);
  const auto bits = reader.integer();
  if (bits && *bits >= 2048 && *bits <= 8192 && *bits % 8 == 0) {
    return "rsa:" + std::to_string(*bits);
  }
  return reject(PKIFailureInfo::badCertTemplate, "rsaKeyLen is not within 2048 to 8192");
}

// The kind of key that an algorithm without a key stands for.
Checked<std::string> wished_kind(const CertRequest& wanted, const std::string& usual) {
  const auto& spki = wanted.certTemplate.publicKey;
  if (!spki) return usual;
  const auto& algorithm = spki->algorithm;
  if (algorithm.algorithm == oid::rsaEncryption) return wished_rsa(wanted, usual);
  for (const auto& [kind, id] :
       {std::pair{"ed25519", &oid::id_Ed25519}, std::pair{"ed448", &oid::id_Ed448},
        std::pair{"x25519", &oid::id_X25519}, std::pair{"x448", &oid::id_X448}}) {
    if (*id == algorithm.algorithm) return std::string(kind);
  }
  if (algorithm.algorithm == oid::id_ecPublicKey && algorithm.parameters) {
    der::Reader reader(*algorithm.parameters);
    const auto curve = reader.object_identifier();
    if (curve == oid::secp256r1) return std::string("ec:P-256");
    if (curve == oid::secp384r1) return std::string("ec:P-384");
    if (curve == oid::secp521r1) return std::string("ec:P-521");
  }
  return reject(PKIFailureInfo::badCertTemplate,
                "keys of the kind that is wished for are not made here");
}

}  // namespace

Outcome<EncryptedKey> encrypt_certificate(const Certificate& certificate, const Request& request,
                                          CaServices& services) {
  if (request.message.header.pvno >= kCmp2021) {
    ASSIGN_OR_RETURN(const auto recipient, recipient_of(certificate));
    ASSIGN_OR_RETURN(auto enveloped,
                     envelop(certificate.der(), oid::id_data, recipient, services.random));
    return as_encrypted_key(std::move(enveloped));
  }
  ASSIGN_OR_RETURN(const auto key, certificate.public_key());
  ASSIGN_OR_RETURN(auto value, encrypt_value(certificate.der(), key, services.random));
  return EncryptedKey{EncryptedKey::Kind::encryptedValue, std::move(value)};
}

Outcome<EncryptedKey> encrypt_private_key(const PrivateKey& key, const Requester& requester,
                                          CaServices& services) {
  ASSIGN_OR_RETURN(const auto recipient, recipient_for(requester));
  return encrypt_private_key(key, recipient, services);
}

Outcome<EncryptedKey> encrypt_private_key(const PrivateKey& key, const Recipient& recipient,
                                          CaServices& services) {
  const auto& generator = services.authority.key_generator;
  if (!generator) return hold("there is no key generator");
  ASSIGN_OR_RETURN(auto package, encode_key_package(key));
  auto sealed =
      sign_content(package, oid::id_ct_KP_aKeyPackage, generator->signer, generator->chain);
  wipe(package);
  if (!sealed) return failure(std::move(sealed).error());
  auto enveloped = envelop(*sealed, oid::id_signedData, recipient, services.random);
  wipe(*sealed);
  if (!enveloped) return failure(std::move(enveloped).error());
  return as_encrypted_key(std::move(*enveloped));
}

Checked<void> check_may_generate(const Request& request, const Requester& requester,
                                 const CaServices& services) {
  if (!services.authority.key_generator) {
    return reject(PKIFailureInfo::badCertTemplate,
                  "the template has no public key, and keys are not generated here");
  }
  if (request.message.header.pvno < kCmp2021) {
    return reject(PKIFailureInfo::badRequest, "central key generation needs pvno 3");
  }
  TRY(check_may_leave(request));
  TRY(recipient_for(requester));
  return {};
}

Outcome<PrivateKey> generate_key(const CertRequest& wanted, const Profile& profile) {
  const auto& usual = profile.settings().generate;
  if (usual.empty()) {
    return reject(PKIFailureInfo::badCertTemplate,
                  "the template has no public key, and this profile generates none");
  }
  ASSIGN_OR_RETURN(const auto kind, wished_kind(wanted, usual));
  ASSIGN_OR_RETURN(auto key, PrivateKey::generate(kind));
  return key;
}

}  // namespace cmpost
