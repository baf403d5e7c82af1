// Message protection (RFC 9810 5.1.3) over the octets as received. No policy here: who is trusted
// and what is allowed is the processor's business.
#pragma once

#include "base/random.h"
#include "cmp/pki_message.h"
#include "crypto/keys/signature.h"
#include "crypto/secrets/mac_parameters.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

enum class ProtectionKind {
  none,
  signature,
  password_based_mac,
  pbmac1,
  bare_mac,  // HMAC, KMAC, GMAC under a registered key
  dh_based_mac,
  kem_based_mac,
  other
};
// By the OID of protectionAlg alone. `none` when both fields are absent.
ProtectionKind protection_kind(const PKIMessage& message);

// badMessageCheck when the signature is wrong, badAlg when the algorithm is unknown, forbidden or
// does not fit the key.
Outcome<void> verify_signature_protection(const PKIMessage& message, const PublicKey& key);
// badAlg for a MAC that is not known or outside `limits`.
Checked<MacParameters> protection_mac(const PKIMessage& message, const MacLimits& limits);
// badMessageCheck when the MAC differs. What `secret` is depends on the kind: see compute_mac().
Outcome<void> verify_mac_protection(const PKIMessage& message, const MacParameters& parameters,
                                    ByteView secret);
// Both in one go.
Outcome<void> verify_mac_protection(const PKIMessage& message, ByteView secret,
                                    const MacLimits& limits);

// Encodes and protects; sets header.protectionAlg itself. The rest of the header is the caller's.
Result<Bytes> protect_with_signature(PKIHeader header, const PKIBody& body, const Signer& signer,
                                     const std::vector<CMPCertificate>& extraCerts);
Result<Bytes> protect_with_mac(PKIHeader header, const PKIBody& body,
                               const MacParameters& parameters, ByteView secret,
                               const std::vector<CMPCertificate>& extraCerts);
Bytes leave_unprotected(PKIHeader header, const PKIBody& body,
                        const std::vector<CMPCertificate>& extraCerts = {});

// certHash for certConf (RFC 9810 5.3.18, R-123): with the hash of the certificate's signature
// algorithm; EdDSA by RFC 9481 3.3; `hashAlg` when given decides (pvno 3).
Checked<Bytes> cert_hash(const Certificate& certificate,
                         const std::optional<AlgorithmIdentifier>& hashAlg);

}  // namespace cmpost
