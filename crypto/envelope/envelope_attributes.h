// What stands beside the content of an EnvelopedData.
#pragma once

#include <optional>

#include "asn1/der.h"

namespace cmpost {

// localKeyId (RFC 2985 5.5.2) among the unprotectedAttrs of an EnvelopedData: how its sender calls
// the secret in it (RFC 9810 Appendix B). nullopt without one, and for what cannot be read. Nobody
// vouches for it.
std::optional<Bytes> local_key_id(ByteView enveloped);

}  // namespace cmpost
