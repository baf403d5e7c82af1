// What a request says about a certificate that a profile decides on, whoever issues it.
#pragma once

#include <string>

#include "ca/profile/profile.h"
#include "processor/admission/request.h"
#include "processor/rights/requester.h"

namespace cmpost {

// What certProfile says of the request with this number; "" where it says nothing.
Checked<std::string> profile_name(const Request& request, std::int64_t certReqId);

// Where the row of a device allows one profile alone, a request that names none means that one.
void mean_only_profile(Request& request, const Requester& requester);

// The profile that a request names, if the channel allows it.
Checked<const Profile*> pick_profile(const std::string& name, const ChannelPolicy& channel);

// CMP's bit for what the CA refuses.
Rejection to_rejection(const Refusal& refusal);

}  // namespace cmpost
