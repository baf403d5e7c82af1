// What the profiles of a channel say to somebody who wants to write a request that will be granted
//
#pragma once

#include <vector>

#include "ca/profile/profile.h"
#include "cmp/info_values.h"

namespace cmpost {

// Keys that are certified for signatures, and for encryption or key agreement; one
// AlgorithmIdentifier per curve (RFC 9810 5.3.19.2, 5.3.19.3). Empty: none.
std::vector<AlgorithmIdentifier> signing_key_types(const std::vector<Profile>& profiles);
std::vector<AlgorithmIdentifier> encryption_key_types(const std::vector<Profile>& profiles);
// Parameters for keys of an algorithm: its first AlgorithmIdentifier that any profile takes;
// nullopt when none takes such keys.
std::optional<AlgorithmIdentifier> key_parameters(const Oid& algorithm,
                                                  const std::vector<Profile>& profiles);

// The fields that a request for this profile should have: with a value where the profile has one,
// empty where the requester is to fill one in (RFC 9483 4.3.3). keySpec names the keys.
CertReqTemplateContent request_template(const Profile& profile);

}  // namespace cmpost
