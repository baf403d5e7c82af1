// What the ledger database keeps for the protection of messages: wrong MACs, KEM secrets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/channel_settings.h"
#include "crypto/keys/algorithm.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kProtectionMigrations;

// A message that named a secret and was not protected with it.
struct SecretFailure {
  std::string reference;  // full_reference()
  std::string channel;
  std::string peer;  // where an answer to it would go; empty where a channel has one peer
  Sha256 message{};  // digest: the same message again counts once
  Time at{};
};

// Views on a connection; thread and durability are the connection's.

// Who guesses a password is stopped where the guesses come from; the others go on. What is
// no password needs no lock (threat-model.md).
class SecretLock {
 public:
  explicit SecretLock(Connection& connection) : connection_(connection) {}

  // What the failures of a secret on a channel come to, seen by one peer.
  enum class State {
    open,
    full,   // more are not counted, but nobody is locked out: all who share a channel are one peer
    locked  // a password is not to be believed from this peer now
  };
  Result<State> state(const std::string& reference, const std::string& channel,
                      const std::string& peer, const MacSettings& limits, Time now);
  // Forgets what is older than the channel's lock_time.
  Result<void> count(const SecretFailure& failure, Time oldest);
  // Forgets all failures of a secret; how many there were.
  Result<std::int64_t> unlock(std::string_view reference);
  // How many failures there are since `oldest`.
  Result<std::int64_t> failures(std::string_view reference, Time oldest);

 private:
  Connection& connection_;
};

// Messages whose protection does not hold, and which the audit log has one by one up to a limit.
class StrangerCount {
 public:
  static constexpr std::int64_t kRecordedAnHour = 1000;  // and channel
  struct Seen {
    bool is_recorded = true;
    std::int64_t left_out_before = 0;  // in the last hour that had any, which has ended
    Time since{};                      // it began
  };
  explicit StrangerCount(Connection& connection) : connection_(connection) {}
  Result<Seen> note(const std::string& channel, Time now);

 private:
  Connection& connection_;
};

// A shared secret for KemBasedMac.
struct KemSecret {
  enum class Owner { requester, authority };  // of the KEM key; new rows are the authority's
  Bytes transactionID;
  Owner owner = Owner::requester;
  Sha256 ciphertext{};     // digest: never taken for a second transaction
  std::string credential;  // requester: whose key it is
  Bytes info;              // requester: the KemCiphertextInfo; in rows of earlier versions only
  Bytes sealed;            // the secret, bound to kem_secret_context()
  Time at{};
};
std::string kem_secret_context(ByteView transactionID);

class KemSecrets {
 public:
  explicit KemSecrets(Connection& connection) : connection_(connection) {}

  Result<std::optional<KemSecret>> find(ByteView transactionID, KemSecret::Owner owner);
  Result<bool> knows_ciphertext(const Sha256& ciphertext);
  // False when the transaction or the ciphertext has one already. What is older than `oldest` is
  // forgotten.
  Result<bool> add(const KemSecret& secret, Time oldest);

 private:
  Connection& connection_;
};

}  // namespace cmpost
