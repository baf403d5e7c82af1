// What the ledger remembers of envelopes that were encrypted to keys of ours, and of failures with
// them.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/keys/algorithm.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kEnvelopeMigrations;

// A content-encryption key belongs to one envelope of one credential: whoever changes somebody's
// envelope, or sends it as his own, uses its key a second time.
struct EnvelopeUse {
  Sha256 content_key{};    // DecryptedContent
  Sha256 envelope{};       // of its octets
  std::string credential;  // credential_of_envelopes()
  Time at{};
};
// An envelope that could not be used, whatever was wrong with it.
struct EnvelopeFailure {
  std::string credential;
  Sha256 envelope{};  // the same again counts once
  Time at{};
};

// A view on a connection; thread and durability are the connection's.
class EnvelopeTable {
 public:
  explicit EnvelopeTable(Connection& connection) : connection_(connection) {}

  // Who has used this key.
  Result<std::optional<EnvelopeUse>> find(const Sha256& content_key);
  // False when the key was used for another envelope or by another credential.
  Result<bool> add(const EnvelopeUse& use);

  // Since `oldest`.
  Result<std::int64_t> failures(std::string_view credential, Time oldest);
  // Forgets those of the credential up to `oldest`.
  Result<void> count(const EnvelopeFailure& failure, Time oldest);
  // How many there were.
  Result<std::int64_t> forget_failures(std::string_view credential);

 private:
  Connection& connection_;
};

// The same for what is decided and not yet committed: the members of a batch, the parts of a
// message. Any thread. Belongs to the keys that open envelopes, and lives as long.
class EnvelopeMemory {
 public:
  // As EnvelopeTable::add().
  bool claim(const EnvelopeUse& use);
  void count(const EnvelopeFailure& failure);
  // Of the last minutes alone: what is older is in the ledger, or has been forgiven there.
  std::int64_t failures(const std::string& credential, Time now) const;

 private:
  mutable Mutex mutex_;
  std::map<Sha256, EnvelopeUse> uses_ GUARDED_BY(mutex_);
  std::deque<Sha256> order_ GUARDED_BY(mutex_);  // of these
  std::map<std::pair<std::string, Sha256>, Time> failures_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
