// The CA's own material: what issues, and what it says as who.
#pragma once

#include <optional>
#include <vector>

#include "ca/issuer.h"
#include "ca/rollover.h"
#include "processor/admission/identity.h"

namespace cmpost {

// Signs the private keys that we make for others (RFC 9483 4.1.6).
struct KeyGenerator {
  Signer signer;
  std::vector<Certificate> chain;  // its own first, with id-kp-cmKGA
};

// Immutable once made; any thread.
struct Authority {
  Identity identity;  // with the CMP certificate
  Issuer issuer;
  std::vector<CMPCertificate> ca_chain;  // from the issuing certificate up to the root
  std::vector<CaRollover> rollovers{};   // of the CA key, oldest first; may run ahead of `issuer`
  std::optional<KeyGenerator> key_generator{};

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
};

// Reads the files that the settings name. An Error says which file, what is wrong and what to do:
// keys that do not fit their certificates, a CMP certificate that has expired or that is the CA's
// own.
Result<Authority> load_authority(const CaSettings& settings, Random& random, const Clock& clock);

// The issuing key alone, for what the CA signs about itself.
Result<PrivateKey> load_ca_key(const CaSettings& settings);
// What issues, without any of the keys that do not.
Result<Issuer> load_issuer(const CaSettings& settings, Random& random, const Clock& clock);

}  // namespace cmpost
