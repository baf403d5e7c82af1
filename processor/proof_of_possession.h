// Does the requester hold the private key that it wants certified?
#pragma once

#include "cmp/pki_failure_info.h"
#include "crypto/private_key.h"
#include "processor/handlers.h"
#include "processor/request.h"
#include "processor/requester.h"

namespace cmpost {

// The key to be certified, and what is known of its other half.
struct Possession {
  PublicKey key;
  // The proof is still to come: the certificate leaves encrypted, and only who can decrypt it knows
  // its hash.
  bool by_certificate = false;
  // It is still to come: popdecr, before there is a certificate.
  bool by_challenge = false;
  // The private key itself: sent to us for the archive, or made here.
  std::optional<PrivateKey> private_key{};
  bool generated = false;
};

// POPOSigningKey over the octets of the CertRequest, or over poposkInput where the
// template lacks key or subject; raVerified from an RA that protected the message itself; agreeMAC;
// the key itself, encrypted to us; encrCert and challengeResp, which prove later. badPOP,
// notAuthorized, or badCertTemplate for a key that is malformed.
// A template without a key is not for here: see key_generation.h.
Checked<Possession> verify_pop(const CertReqMsg& wanted, const Request& request,
                               const Requester& requester, const Services& services);

// The key of a request that asks for challengeResp; badPOP for one that nothing can be encrypted to
// in this pvno.
Checked<PublicKey> key_to_challenge(const CertReqMsg& wanted, std::int64_t pvno);

// version 0 and the request's own signature.
Checked<PublicKey> verify_pop(const CertificationRequest& request);

}  // namespace cmpost
