// Certificates for keys of the CA's own that do not issue.
#pragma once

#include <optional>

#include "ca/issuer.h"

namespace cmpost {

enum class OwnUse {
  protection,      // signs answers: [ca] cmp_key
  key_generation,  // signs private keys made for others: [ca] kga_key, id-kp-cmKGA
  protocol,        // agrees or decrypts, which follows from the key: [ca] protocol_keys
  mail,            // signs and opens mails: smime of a channel
  registration     // signs what an RA sends: [ra] cmp_key, id-kp-cmcRA
};

struct OwnCertificate {
  OwnUse use = OwnUse::protection;
  Name subject;
  Time notBefore{}, notAfter{};
  std::optional<GeneralName> address{};  // mail: where it sends from
};

// An Error when the key cannot be used for that.
Result<Certificate> make_own_certificate(const Issuer& issuer, const PublicKey& key,
                                         const OwnCertificate& wanted);

// The same signed with its own key, until a CA has issued another one; a CA knows it by itself
// (roles.ra).
Result<Certificate> make_self_signed(const PrivateKey& key, const OwnCertificate& wanted,
                                     Random& random);

}  // namespace cmpost
