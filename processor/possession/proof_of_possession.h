// Does the requester hold the private key that it wants certified?
#pragma once

#include "cmp/pki_failure_info.h"
#include "crypto/envelope/key_package.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/rights/requester.h"

namespace cmpost {

// The key to be certified, and what is known of its other half.
struct Possession {
  PublicKey key;
  // The proof is still to come: the certificate leaves encrypted, and only who can decrypt it knows
  // its hash.
  bool by_certificate = false;
  // It is still to come: popdecr, before there is a certificate.
  bool by_challenge = false;
  // The proof covers the CertRequest with all that is in it, and that says who asks.
  bool covers_request = false;
  // The private key itself: sent to us for the archive, or made here.
  std::optional<PrivateKey> private_key{};
  bool generated = false;
};

// POPOSigningKey over the octets of the CertRequest, or over poposkInput where the
// template lacks key or subject; raVerified from an RA that protected the message itself; agreeMAC;
// the key itself, encrypted to us; encrCert and challengeResp, which prove later. badPOP,
// notAuthorized, or badCertTemplate for a key that is malformed.
// A proof can be cut out of somebody's message, so it counts for who is named in what it covers
// alone, and this is compared with who has protected the message (RFC 4211 4.1, 4.2.1): in the
// template the subject (whether the requester may have it is for others to say), else its own
// subjectAltName, else oldCertID; in poposkInput, authInfo.
// A template without a key is not for here: see key_generation.h.
Outcome<Possession> verify_pop(const CertReqMsg& wanted, const Request& request,
                               const Requester& requester, const Services& services);

// The key of a request that asks for challengeResp; badPOP for one that nothing can be encrypted to
// in this pvno.
Checked<PublicKey> key_to_challenge(const CertReqMsg& wanted, std::int64_t pvno);

// version 0 and the request's own signature. Anybody may have a copy of it, so it names its
// requester like a CertTemplate.
Checked<PublicKey> verify_pop(const CertificationRequest& request, const Requester& requester);

// RFC 4211 4.2.1: whether a private key that was sent to be kept is the requester's own: it names
// the requester, or is in a request that does (`covered`: by the proof of possession). "An attacker
// could intercept the encrypted private key, build a certificate request around it and then ask for
// a recovery operation": badPOP.
Checked<void> check_identifier(const EncKeyWithID& sent, const CertTemplate& wanted, bool covered,
                               const Requester& requester);

// who proves possession by the confirmation cannot be let off it.
bool proves_by_certificate(const PKIBody& body);

}  // namespace cmpost
