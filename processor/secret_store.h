// MAC secrets of requesters, sealed in the ledger database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/name.h"
#include "crypto/seal.h"
#include "store/connection.h"

namespace cmpost {

struct Secret {
  std::string reference;  // senderKID or the sender's CN selects it; 1 to 256 octets
  Bytes value;            // empty in listings
  std::string subject;    // whom it may ask for: a pattern (subject_matches), "" for anybody
  std::optional<std::int64_t> max_uses;  // certificates requests it may authorise
  std::int64_t uses = 0;
  std::optional<Time> expires;
  Time added{};
};

// Whether `subject` is what a secret's pattern allows: "CN=dev-*,O=Grid" names the attributes that
// must be there, no fewer and no more, each with a value that its pattern covers ('*' is any run of
// characters, case does not count). An empty pattern allows everything.
Result<bool> subject_matches(std::string_view pattern, const Name& subject);

// How hard a secret is to guess for somebody who knows its length and which kinds of characters it
// has, in bits: an upper bound, which tells a password from a key.
double guessing_bits(ByteView secret);

// A view on a connection; thread and durability are the connection's.
class SecretStore {
 public:
  SecretStore(Connection& connection, const SealingKey& key) : connection_(connection), key_(key) {}

  // False when the reference is taken.
  Result<bool> add(const Secret& secret, Random& random);
  Result<bool> remove(std::string_view reference);
  Result<std::optional<Secret>> find(std::string_view reference);
  Result<std::vector<Secret>> list();
  // Counts one use; false when none is left or the secret is gone. Needs no key.
  static Result<bool> use(Connection& connection, std::string_view reference);

 private:
  Connection& connection_;
  const SealingKey& key_;
};

}  // namespace cmpost
