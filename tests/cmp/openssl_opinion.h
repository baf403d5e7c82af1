// What OpenSSL's own PKIMessage codec makes of some octets.
#pragma once

#include <openssl/cmp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <memory>
#include <optional>

#include "base/bytes.h"

namespace cmpost {

// The OpenSSL in use knows hashAlg of certStatus, and leaves a DEFAULT out when it writes. (Debian
// 12 has 3.0, Debian 13 has 3.5.)
inline bool openssl_is_newer() { return OpenSSL_version_num() >= 0x30500000UL; }

// What OpenSSL writes for what it read; nothing when it refuses the octets or leaves some over.
inline std::optional<Bytes> openssl_rewrites(ByteView input) {
  ERR_clear_error();
  const unsigned char* at = input.data();
  const std::unique_ptr<OSSL_CMP_MSG, decltype(&OSSL_CMP_MSG_free)> message(
      d2i_OSSL_CMP_MSG(nullptr, &at, static_cast<long>(input.size())), OSSL_CMP_MSG_free);
  if (!message || at != input.data() + input.size()) return std::nullopt;
  unsigned char* out = nullptr;
  const int size = i2d_OSSL_CMP_MSG(message.get(), &out);
  if (size < 0) return Bytes();
  Bytes rewritten(out, out + size);
  OPENSSL_free(out);
  return rewritten;
}

inline bool openssl_accepts(ByteView input) { return openssl_rewrites(input).has_value(); }
inline bool openssl_keeps(ByteView input) {
  const auto rewritten = openssl_rewrites(input);
  return rewritten && equal(*rewritten, input);
}

}  // namespace cmpost
