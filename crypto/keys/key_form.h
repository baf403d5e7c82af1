// Whether a public key may get a certificate: PublicKey::from_spki() takes what can be used here,
// which is more than what others read and what is of any use to its owner.
#pragma once

#include <optional>
#include <string>

#include "crypto/keys/public_key.h"

namespace cmpost {

// Why others could not read `key`, or anybody could do what only its owner should; nullopt when
// nothing is known against it. Microseconds: what is cheap to find, no search for weaknesses.
//   RSA: NULL as parameters, an odd exponent from 3 to 2^31-1, a modulus without a small prime
//     that is no square nor nearly one.
//   Montgomery curves: a point of large order; Edwards curves: one that exists and is reduced, too.
// Of other keys nothing is said.
std::optional<std::string> wrong_form(const SubjectPublicKeyInfo& key);

// Both on magnitudes, big-endian; for the above and its tests.
std::optional<unsigned> small_prime_factor(ByteView modulus);  // an odd one below 752
bool has_close_factors(ByteView modulus);  // two that differ by less than its fourth root, about

// Whether an Edwards curve has a point with this coordinate, which is little-endian and reduced.
bool is_on_edwards25519(ByteView y);
bool is_on_edwards448(ByteView y);

}  // namespace cmpost
