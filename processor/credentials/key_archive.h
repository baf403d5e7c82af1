// Private keys that were given to us to be kept, sealed in the ledger database.
#pragma once

#include <optional>
#include <vector>

#include "asn1/name.h"
#include "base/clock.h"
#include "crypto/keys/private_key.h"
#include "crypto/secrets/seal.h"
#include "store/connection.h"

namespace cmpost {

struct ArchivedKey {
  Bytes serial;  // of the certificate that it belongs to
  Bytes sealed;
  Time at{};
  // Whose it is, and the SHA-256 of the comparison key of its certificate's subject. Empty: from
  // before this was noted.
  Bytes holder{}, name{};
};
Bytes archived_name(const Name& subject);
Result<ArchivedKey> seal_for_archive(const PrivateKey& key, ByteView serial, Time now,
                                     const SealingKey& sealing_key, Random& random);

// A view on a connection; thread and durability are the connection's.
class KeyArchive {
 public:
  explicit KeyArchive(Connection& connection) : connection_(connection) {}

  Result<void> add(const ArchivedKey& key);
  // The serial numbers of certificates whose keys may be this holder's, or of this subject; and all
  // those of which this was not noted: whoever asks compares.
  Result<std::vector<Bytes>> of_holder(ByteView holder);
  Result<std::vector<Bytes>> of_subject(const Name& subject);
  // Of a certificate that never counted.
  Result<void> forget(ByteView serial);
  Result<std::optional<PrivateKey>> find(ByteView serial, const SealingKey& sealing_key);

 private:
  Connection& connection_;
};

}  // namespace cmpost
