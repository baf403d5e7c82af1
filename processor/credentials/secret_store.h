// MAC secrets of requesters, sealed in the ledger database (R-047).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "asn1/name.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/rights_settings.h"
#include "crypto/secrets/seal.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

// What a secret is good for, and for nothing else. A regToken and an authenticator travel in clear
// (RFC 4211 6.1, 6.2): who has read one must not be able to protect a message with it.
enum class SecretPurpose { mac, regToken, authenticator };
std::string_view to_string(SecretPurpose purpose);
std::optional<SecretPurpose> secret_purpose(std::string_view text);

struct Secret {
  // mac: senderKID or the sender's CN selects it. Of a token, the CN of the subject that it is for.
  // 1 to 256 octets.
  std::string reference;
  Bytes value;  // empty in listings
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
  SecretPurpose purpose = SecretPurpose::mac;
  // Tells it from one that was added later under the same reference: what its holders have (keys in
  // the archive, passphrases, transactions) is not that one's. Octets by chance; empty: it was
  // added by a version that gave none.
  Bytes identity{};
};
inline bool is_over(const Secret& secret, Time now) {
  return secret.expires && *secret.expires <= now;
}
// What tells it from all others, whatever their purposes: use() takes it.
std::string secret_key(SecretPurpose purpose, std::string_view reference);

// Tells it from one that gets its reference later: with "#" and its identity in hexadecimal, where
// it has one.
std::string full_reference(const Secret& secret);
// What people call it.
std::string plain_reference(std::string_view full);

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

  // False when the reference is taken. An Error for a pattern that is none, and for a reference
  // that is the same as another one of this purpose as names compare (RFC 5280 7.1): the two would
  // be the same common name, and so one owner.
  Result<bool> add(const Secret& secret, Random& random);
  // Another one that is the same as names compare, among those that were added since the ledger
  // keeps how names compare. Needs no key.
  static Result<std::optional<std::string>> namesake(Connection& connection,
                                                     std::string_view reference,
                                                     SecretPurpose purpose = SecretPurpose::mac);
  static Result<bool> exists(Connection& connection, std::string_view reference,
                             SecretPurpose purpose = SecretPurpose::mac);
  // Gives a MAC secret the rights, the channels, the end and the number of uses that this one has;
  // its value, and what it was used for, stay. False: it is gone, or has them already. Needs no
  // key.
  static Result<bool> restate(Connection& connection, const Secret& secret);
  // With what is remembered of failures with it.
  Result<bool> remove(std::string_view reference, SecretPurpose purpose = SecretPurpose::mac);
  // Forgets the failures with a MAC secret, and what was noted under its reference alone; how many
  // there were. Needs no key.
  struct Forgiven {
    std::int64_t macs = 0, envelopes = 0;
  };
  static Result<Forgiven> forgive(Connection& connection, std::string_view reference);
  // A MAC secret of the one reference, else of the other; with the work of one that is there, also
  // where neither is.
  Result<std::optional<Secret>> find_evenly(std::string_view first, std::string_view second);
  Result<std::optional<Secret>> find(std::string_view reference,
                                     SecretPurpose purpose = SecretPurpose::mac);
  // One by one, by their references, without their values, so that no key is needed; how many
  // match, whatever limit and offset say.
  static Result<std::int64_t> for_each(Connection& connection, const ListFilter& filter,
                                       const std::function<Result<void>(const Secret&)>& each);
  // Counts uses; false when fewer are left or the secret is gone. Needs no key.
  static Result<bool> use(Connection& connection, std::string_view reference,
                          std::int64_t count = 1, const std::optional<Bytes>& identity = {});

 private:
  struct Sealed {
    Secret secret{};  // but for its value
    std::string key;  // secret_key()
    Bytes value;
  };
  Result<void> fold_all();
  Result<void> check_no_namesake(const Secret& secret);
  static Result<Sealed> read_sealed(Row& row);
  Result<std::optional<Sealed>> find_sealed(std::string_view reference, SecretPurpose purpose);
  Result<Secret> open(Sealed sealed) const;

  Connection& connection_;
  const SealingKey& key_;
};

}  // namespace cmpost
