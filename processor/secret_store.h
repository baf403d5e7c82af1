// MAC secrets of requesters, sealed in the ledger database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/rights_settings.h"
#include "crypto/name.h"
#include "crypto/seal.h"
#include "store/connection.h"

namespace cmpost {

struct Secret {
  std::string reference;  // senderKID or the sender's CN selects it; 1 to 256 octets
  Bytes value;            // empty in listings
  // It was made by chance, here or, as octets, elsewhere, so that nobody finds it by asking. What
  // somebody typed may be a password, however long it is.
  bool is_key = false;
  // What it may ask for (rights.h).
  std::string subject;  // a SubjectPattern, "" for any
  SanRule san;
  std::vector<std::string> profiles;     // by name; none: those that are for secrets
  ChannelRule channels;                  // where it counts; not said: on the first channel
  std::optional<std::int64_t> max_uses;  // certificates that it may get
  std::int64_t uses = 0;
  std::optional<Time> expires;
  Time added{};
};

// "CN=REF" for a secret that is said nothing else of: its reference names its owner. An Error where
// the reference cannot be a commonName, or would be a pattern.
Result<std::string> subject_of_reference(std::string_view reference);

// How hard a secret is to guess for somebody who knows its length and which kinds of characters it
// has, in bits: an upper bound, which tells a password from a key.
double guessing_bits(ByteView secret);

// A view on a connection; thread and durability are the connection's.
class SecretStore {
 public:
  SecretStore(Connection& connection, const SealingKey& key) : connection_(connection), key_(key) {}

  // False when the reference is taken. An Error for a pattern that is none.
  Result<bool> add(const Secret& secret, Random& random);
  Result<bool> remove(std::string_view reference);
  Result<std::optional<Secret>> find(std::string_view reference);
  Result<std::vector<Secret>> list();
  // Counts uses; false when fewer are left or the secret is gone. Needs no key.
  static Result<bool> use(Connection& connection, std::string_view reference,
                          std::int64_t count = 1);

 private:
  Connection& connection_;
  const SealingKey& key_;
};

}  // namespace cmpost
