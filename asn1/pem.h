// PEM blocks (RFC 7468) out of a text; for this folder only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

struct PemBlock {
  std::string_view label;  // "CERTIFICATE"
  std::string_view whole;  // from BEGIN to END with them
  std::string_view body;   // between them: base64, perhaps behind RFC 1421 headers
};
// All blocks in order; what stands between is skipped. A BEGIN without its END is an Error. The
// blocks borrow from `text`.
Result<std::vector<PemBlock>> pem_blocks(std::string_view text);
Result<Bytes> decode(const PemBlock& block);

std::string to_pem_text(std::string_view label, ByteView der);

}  // namespace cmpost
