// KemCiphertextInfo (RFC 9810 5.3.19.18), in genm, genp and generalInfo.
#pragma once

#include "cmp/pki_header.h"

namespace cmpost {

struct KemCiphertextInfo {
  AlgorithmIdentifier kem;
  Bytes ct;
};
der::Parsed<KemCiphertextInfo> read_kem_ciphertext_info(ByteView value);
Bytes encode(const KemCiphertextInfo& info);

}  // namespace cmpost
