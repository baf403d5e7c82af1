// Every MAC that an AlgorithmIdentifier can name, with the way its key comes about.
#pragma once

#include <variant>

#include "crypto/secrets/agreed_mac.h"
#include "crypto/secrets/password_mac.h"

namespace cmpost {

using MacParameters =
    std::variant<MacScheme, PBMParameter, PBMAC1Parameter, DHBMParameter, KemBMParameter>;

// Whether the OID is one of ours; the parameters are not looked at.
bool is_mac(const Oid& algorithm);

// Read and within `limits`; an Error says what is not supported or not allowed.
Result<MacParameters> mac_parameters(const AlgorithmIdentifier& algorithm, const MacLimits& limits);
AlgorithmIdentifier to_algorithm(const MacParameters& parameters);
// The same with a salt or nonce of our own, for a message that mirrors another.
MacParameters renewed(const MacParameters& like, Random& random);

// Whether a secret of so many octets can be what the MAC is computed with; one of another size is
// not the sender's.
bool takes_secret_of(const MacParameters& parameters, std::size_t octets);
// The MAC whose key is made of `secret`: the password, the symmetric key, the agreed value or the
// KEM's shared secret. The transactionID goes into the key of KemBasedMac.
Result<Bytes> compute_mac(const MacParameters& parameters, ByteView secret, ByteView transactionID,
                          ByteView data);

}  // namespace cmpost
