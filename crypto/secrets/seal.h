// Secrets at rest: AES-256-GCM under a key from a file.
#pragma once

#include "base/random.h"
#include "base/result.h"

namespace cmpost {

// Overwrites what must not stay in memory.
void wipe(Bytes& octets);

class SealingKey {
 public:
  static SealingKey generate(Random& random);
  static Result<SealingKey> from_hex(
      std::string_view hex);  // 64 digits, surrounding white space ignored
  std::string to_hex() const;

  // `context` is bound to the sealed value (a table and row name): unsealing under another fails.
  Result<Bytes> seal(ByteView secret, std::string_view context, Random& random) const;
  Result<Bytes> unseal(ByteView sealed, std::string_view context) const;

  // Secret octets that follow from the key, a purpose and what they are about, so that they need
  // not be kept: nobody without the key can tell them from random ones.
  Result<Bytes> derive(std::string_view purpose, ByteView about) const;

 private:
  explicit SealingKey(Bytes key) : key_(std::move(key)) {}
  Bytes key_;
};

}  // namespace cmpost
