#include "ca/own_certificate.h"

#include "ca/serial_number.h"
#include "crypto/secrets/kem.h"
#include "crypto/secrets/key_agreement.h"

namespace cmpost {
namespace {

// An RSA key decrypts and cannot agree; an EC key could sign as well, and is not to.
Result<KeyUsageBit> protocol_usage(const PublicKey& key) {
  if (can_agree(key)) return KeyUsageBit::keyAgreement;
  if (can_encapsulate(key)) return KeyUsageBit::keyEncipherment;
  return hold("a key " + key.description() + " can neither agree nor decrypt",
              "use rsa:3072, ec:P-256, ec:P-384, ec:P-521, x25519 or x448");
}

Result<Extensions> extensions_for(const PublicKey& key, const OwnCertificate& wanted) {
  switch (wanted.use) {
    case OwnUse::protection:
      return Extensions{key_usage_extension({KeyUsageBit::digitalSignature}),
                        extended_key_usage_extension({oid::id_kp_cmcCA})};
    case OwnUse::key_generation:
      return Extensions{key_usage_extension({KeyUsageBit::digitalSignature}),
                        extended_key_usage_extension({oid::id_kp_cmKGA})};
    case OwnUse::protocol: {
      ASSIGN_OR_RETURN(const auto usage, protocol_usage(key));
      return Extensions{key_usage_extension({usage})};
    }
    case OwnUse::registration:
      return Extensions{key_usage_extension({KeyUsageBit::digitalSignature}),
                        extended_key_usage_extension({oid::id_kp_cmcRA})};
    case OwnUse::mail:
      break;
  }
  std::vector<KeyUsageBit> usage = {KeyUsageBit::digitalSignature};
  // For mails that are encrypted to it.
  if (key.type() == KeyType::rsa) usage.push_back(KeyUsageBit::keyEncipherment);
  if (can_agree(key)) usage.push_back(KeyUsageBit::keyAgreement);
  Extensions extensions = {key_usage_extension(usage),
                           extended_key_usage_extension({oid::id_kp_emailProtection})};
  if (wanted.address) {
    extensions.push_back(subject_alt_name_extension({*wanted.address}, false));
  }
  return extensions;
}

}  // namespace

Result<Certificate> make_own_certificate(const Issuer& issuer, const PublicKey& key,
                                         const OwnCertificate& wanted) {
  ASSIGN_OR_RETURN(auto extensions, extensions_for(key, wanted));
  extensions.push_back(subject_key_identifier_extension(key.key_identifier()));
  return issuer.issue({wanted.subject,
                       to_bytes(key.spki()),
                       wanted.notBefore,
                       wanted.notAfter,
                       std::move(extensions),
                       {}});
}

Result<Certificate> make_cmp_certificate(const Issuer& issuer, const PublicKey& key,
                                         const Name& subject, Time not_before, Time not_after) {
  return make_own_certificate(issuer, key,
                              {OwnUse::protection, subject, not_before, not_after, {}});
}

Result<Certificate> make_self_signed(const PrivateKey& key, const OwnCertificate& wanted,
                                     Random& random) {
  ASSIGN_OR_RETURN(auto extensions, extensions_for(key.public_key(), wanted));
  extensions.push_back(subject_key_identifier_extension(key.public_key().key_identifier()));
  ASSIGN_OR_RETURN(const auto signer, Signer::create(key));
  return sign_own(
      {make_serial_number(wanted.notBefore, random), wanted.subject, wanted.notBefore,
       wanted.notAfter, wanted.subject, to_bytes(key.public_key().spki()), std::move(extensions)},
      signer);
}

}  // namespace cmpost
