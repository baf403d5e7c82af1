// Which keys a profile certifies, and what each can be used for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ca/lint/refusal.h"
#include "config/profile_settings.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

// A refusal names the key, the profile and what it would take.
Allowed<void> check_key(const ProfileSettings& profile, const PublicKey& key);

// The keyUsage bits (bit i is named bit i) that make sense for keys of this type: RFC 8813 3 for
// EC, RFC 9295 3 for EdDSA, RFC 3279 2.3.1 for RSA.
std::uint32_t possible_key_usage(KeyType type);

}  // namespace cmpost
