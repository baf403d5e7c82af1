// The CA role's own material: who issues, who signs answers.
#pragma once

#include <memory>
#include <vector>

#include "ca/issuer.h"
#include "ca/rollover.h"
#include "cmp/pki_body.h"
#include "config/settings.h"
#include "crypto/envelope/envelope.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"
#include "processor/credentials/envelope_tables.h"

namespace cmpost {

// A key pair of ours that neither issues nor signs. What it is for is what its certificate allows:
// keyAgreement (DHBasedMac, agreeMAC), keyEncipherment (KEM, what others encrypt to us).
struct ProtocolKey {
  PrivateKey key;
  Certificate certificate;
  std::vector<CMPCertificate> chain;  // it first
};

// Signs the private keys that we make for others (RFC 9483 4.1.6).
struct KeyGenerator {
  Signer signer;
  std::vector<Certificate> chain;  // its own first, with id-kp-cmKGA
};

// Immutable once made; any thread.
struct Authority {
  Issuer issuer;
  Certificate cmp_certificate;  // protects answers; by default not the issuing key
  Signer cmp_signer;
  Bytes cmp_key_identifier;               // senderKID of signed answers
  std::vector<CMPCertificate> cmp_chain;  // extraCerts of signed answers: signer first
  std::vector<CMPCertificate> issuers{};  // the rest of it; without a root, unless it is wanted
  std::vector<CMPCertificate> ca_chain;   // from the issuing certificate up to the root
  std::vector<CaRollover> rollovers{};    // of the CA key, oldest first; may run ahead of `issuer`

  // The certificates of the issuing key and of those before and after it: whoever has a
  // certificate below one of them belongs to this PKI.
  std::vector<Certificate> own_roots() const;

  // Whose public key this is: nobody but us can prove to have one of ours.
  enum class KeyOwner {
    others,
    issuing,  // of one of own_roots()
    working   // of the CMP certificate, a protocol key, the key generator
  };
  KeyOwner owner_of(ByteView spki) const;
  // Whether it is the subject of a certificate of one of these keys.
  bool is_called(const Name& name) const;

  std::vector<ProtocolKey> protocol_keys{};
  std::optional<KeyGenerator> key_generator{};
  // What was opened with protocol_keys lately; shared by the copies of an Authority.
  std::shared_ptr<EnvelopeMemory> envelopes = std::make_shared<EnvelopeMemory>();

  // The one for Diffie-Hellman with `peer`: that with this key identifier, if one is given, else
  // the first of the same kind. nullptr: none.
  const ProtocolKey* agreement_key(const PublicKey& peer,
                                   const std::optional<Bytes>& key_identifier) const;
  // The first that may encapsulate; nullptr: none.
  const ProtocolKey* kem_key() const;
};

// What was encrypted to one of our protocol_keys: see decrypt_envelope(). Its sender must not learn
// what comes out; received_envelope.h is the way to it.
Result<DecryptedContent> open_for_us(ByteView enveloped, const Authority& authority);

// Reads the files that the settings name. An Error says which file, what is wrong and what to do:
// keys that do not fit their certificates, a CMP certificate that has expired or that is the CA's
// own.
// Links of roll-overs go with cmp_chain, so that holders of either root can follow it.
Result<Authority> load_authority(const CaSettings& settings, Random& random, const Clock& clock);

// The issuing key alone, for what the CA signs about itself.
Result<PrivateKey> load_ca_key(const CaSettings& settings);
// What issues, without any of the keys that do not.
Result<Issuer> load_issuer(const CaSettings& settings, Random& random, const Clock& clock);

}  // namespace cmpost
