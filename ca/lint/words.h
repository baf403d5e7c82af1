// How refusals and changes call things.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "asn1/oid.h"

namespace cmpost {

// "keyUsage" where Oid::name() says "id-ce-keyUsage"; the dotted form of what we do not know.
std::string plain_name(const Oid& id);
// "digitalSignature, keyAgreement"; bit i is named bit i. "none" for no bit.
std::string key_usage_words(std::uint32_t bits);
std::string purpose_words(const std::vector<Oid>& purposes);

}  // namespace cmpost
