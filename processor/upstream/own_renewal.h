// How an RA asks the CA above for a certificate of its own, in the ledger database (its schema is
// among kUpstreamMigrations).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crypto/keys/private_key.h"
#include "crypto/secrets/seal.h"
#include "crypto/x509/certificate.h"
#include "processor/upstream/upstream_message.h"
#include "store/connection.h"

namespace cmpost {

// Spelled in the database and in listings as here.
enum class RenewalState {
  asked,       // the request is under way
  confirming,  // the certificate is here and fits, certConf is under way
  granted,     // the CA knows that we have it; the files are to be written
  in_use,      // they are
  refused,     // by the CA, or what it has sent does not fit
  unanswered,  // in time
  given_up     // by a person
};
std::string_view to_string(RenewalState state);
std::optional<RenewalState> renewal_state(std::string_view text);
// Nothing else is begun meanwhile.
bool is_under_way(RenewalState state);

struct OwnRenewal {
  std::int64_t id = 0;  // of the row; 0 before it is stored
  RenewalState state = RenewalState::asked;
  std::string body;  // "kur", "ir", "cr", "p10cr"
  std::string channel;
  Bytes transactionID;
  Bytes key;                   // of the new certificate, sealed; empty when it is forgotten
  std::vector<Bytes> chain{};  // the new certificate and what is above it, without a root
  Bytes former_key{};          // what it takes the place of, sealed
  std::vector<Bytes> former_chain{};
  Time begun{};
  std::optional<Time> ended;
  std::string reason{};  // refused: why
};

// A private key as the ledger keeps it: only with the instance's sealing key.
Result<Bytes> seal_own_key(const PrivateKey& key, const SealingKey& sealing_key, Random& random);
Result<PrivateKey> unseal_own_key(ByteView sealed, const SealingKey& sealing_key);

struct RenewalChange {
  std::int64_t id = 0;
  RenewalState from = RenewalState::asked;
  RenewalState to = RenewalState::refused;
  std::vector<Bytes> chain{};  // empty: as it is
  std::string reason{};
  std::optional<Time> ended{};
};

// certConf once more, the same octets, where its answer is lost: a CA that has had it counts the
// new certificate as ours, and some no other, so that nothing would be left with its key forgotten.
// nullopt: there is nothing to win by it (any more). `sure`: what is judged as over.
struct LostAnswer {
  Time sure{}, now{};
};
Result<std::optional<UpstreamMessage>> certConf_again(const OwnRenewal& renewal,
                                                      const std::vector<UpstreamMessage>& messages,
                                                      Connection& ledger, const LostAnswer& lost);

// A view on a connection. Thread and durability are the connection's.
class OwnRenewalTable {
 public:
  explicit OwnRenewalTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<OwnRenewal>> find(std::int64_t id);
  Result<std::optional<OwnRenewal>> newest();
  // How many have failed since one has come into use, or a person has given one up.
  Result<std::int64_t> failures();
  // Oldest first: what they took the place of may still be needed.
  Result<std::vector<OwnRenewal>> with_former();

  // The row; nullopt: one is under way already, and nothing has changed.
  Result<std::optional<std::int64_t>> add(const OwnRenewal& renewal);
  // False: it is in another state. The key of one that has failed is forgotten.
  Result<bool> change(const RenewalChange& change);
  Result<void> keep_former(std::int64_t id, const Bytes& key, const std::vector<Bytes>& chain);
  // Formers that nothing under way is protected by: `signer` is Identity::key_identifier.
  Result<bool> is_needed(ByteView signer);
  Result<void> forget_former(std::int64_t id);

 private:
  Connection& connection_;
};

}  // namespace cmpost
