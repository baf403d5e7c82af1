// Private keys that were given to us to be kept, sealed in the ledger database.
#pragma once

#include <optional>

#include "base/clock.h"
#include "crypto/private_key.h"
#include "crypto/seal.h"
#include "store/connection.h"

namespace cmpost {

struct ArchivedKey {
  Bytes serial;  // of the certificate that it belongs to
  Bytes sealed;
  Time at{};
};
Result<ArchivedKey> seal_for_archive(const PrivateKey& key, ByteView serial, Time now,
                                     const SealingKey& sealing_key, Random& random);

// A view on a connection; thread and durability are the connection's.
class KeyArchive {
 public:
  explicit KeyArchive(Connection& connection) : connection_(connection) {}

  Result<void> add(const ArchivedKey& key);
  Result<bool> knows(ByteView serial);
  Result<std::optional<PrivateKey>> find(ByteView serial, const SealingKey& sealing_key);

 private:
  Connection& connection_;
};

}  // namespace cmpost
