#include "processor/credentials/protection_tables.h"

#include <algorithm>

#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kProtectionMigrations = {
    {1, R"sql(
CREATE TABLE secret_failure (
  reference TEXT NOT NULL,
  channel TEXT NOT NULL,
  message BLOB NOT NULL,
  peer TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (reference, channel, message)
) WITHOUT ROWID;
CREATE TABLE kem_secret (
  tid BLOB NOT NULL,
  owner INTEGER NOT NULL,
  ciphertext BLOB NOT NULL UNIQUE,
  credential TEXT NOT NULL,
  info BLOB NOT NULL,
  sealed BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tid, owner)
) WITHOUT ROWID;
CREATE INDEX kem_secret_by_age ON kem_secret (at);
)sql"},
    {2, R"sql(
CREATE TABLE key_archive (
  serial BLOB PRIMARY KEY,
  sealed BLOB NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
)sql"},
    {3, R"sql(
CREATE TABLE rev_passphrase (
  subject TEXT PRIMARY KEY,
  kid BLOB NOT NULL,
  sealed BLOB NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX rev_passphrase_by_kid ON rev_passphrase (kid) WHERE kid <> x'';
)sql"},
    // Whose keys and passphrases these are (holder_identity.h). NULL: not noted at the time.
    {4, R"sql(
ALTER TABLE key_archive ADD COLUMN holder BLOB;
ALTER TABLE key_archive ADD COLUMN name BLOB;  -- SHA-256 of the subject's comparison key
CREATE INDEX key_archive_by_holder ON key_archive (holder);
CREATE INDEX key_archive_by_name ON key_archive (name);
CREATE TABLE holder_passphrase (
  holder BLOB PRIMARY KEY,
  kid BLOB NOT NULL,
  sealed BLOB NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX holder_passphrase_by_kid ON holder_passphrase (kid) WHERE kid <> x'';
)sql"},
    {5, R"sql(
CREATE TABLE stranger_count (
  channel TEXT PRIMARY KEY,
  hour INTEGER NOT NULL,
  count INTEGER NOT NULL
) WITHOUT ROWID;
)sql"},
    // The reference as names compare; NULL: it was added before, and SecretStore::add() fills it
    // in.
    {6, R"sql(
ALTER TABLE secret ADD COLUMN folded TEXT;
CREATE INDEX secret_by_name ON secret (folded, purpose);
)sql"},
};

Result<StrangerCount::Seen> StrangerCount::note(const std::string& channel, Time now) {
  const auto hour = to_unix_micros(std::chrono::floor<std::chrono::hours>(now));
  ASSIGN_OR_RETURN(const auto row,
                   one(connection_, "SELECT hour, count FROM stranger_count WHERE channel = ?",
                       columns<std::int64_t, std::int64_t>, channel));
  const auto [since, before] = row.value_or(std::tuple(hour, 0));
  const bool same_hour = since == hour;
  const auto count = same_hour ? before + 1 : 1;
  TRY(change(connection_,
             "INSERT INTO stranger_count (channel, hour, count) VALUES (?1, ?2, ?3) "
             "ON CONFLICT (channel) DO UPDATE SET hour = ?2, count = ?3",
             channel, hour, count));
  Seen seen{count <= kRecordedAnHour, 0, from_unix_micros(since)};
  if (!same_hour) seen.left_out_before = std::max<std::int64_t>(0, before - kRecordedAnHour);
  return seen;
}

Result<SecretLock::State> SecretLock::state(const std::string& reference,
                                            const std::string& channel, const std::string& peer,
                                            const MacSettings& limits, Time now) {
  constexpr std::uint32_t kMostRows = 1000;  // where the settings have no limit
  ASSIGN_OR_RETURN(
      const auto counts,
      only(connection_,
           "SELECT count(*), count(CASE WHEN peer = ?1 THEN 1 END) FROM "
           "secret_failure WHERE reference = ?2 AND channel = ?3 AND at > ?4",
           columns<std::int64_t, std::int64_t>, peer, reference, channel, now - limits.lock_time));
  const auto [all, from_peer] = counts;
  const auto reached = [](std::int64_t count, std::uint32_t limit) {
    return limit != 0 && count >= limit;
  };
  // Where peers cannot be told apart, the owner is the same one as who guesses.
  const bool told_apart = !peer.empty();
  if (told_apart && reached(from_peer, limits.lock_after)) return State::locked;
  if (reached(all, limits.lock_after_all)) return State::locked;
  return limits.lock_after_all == 0 && all >= kMostRows ? State::full : State::open;
}

Result<void> SecretLock::count(const SecretFailure& failure, Time oldest) {
  TRY(change(connection_,
             "DELETE FROM secret_failure WHERE reference = ? AND channel = ? AND at <= ?",
             failure.reference, failure.channel, oldest));
  TRY(change(connection_,
             "INSERT OR IGNORE INTO secret_failure (reference, channel, message, peer, at) "
             "VALUES (?, ?, ?, ?, ?)",
             failure.reference, failure.channel, failure.message, failure.peer, failure.at));
  return {};
}

Result<std::int64_t> SecretLock::unlock(std::string_view reference) {
  return change(connection_, "DELETE FROM secret_failure WHERE reference = ?", reference);
}

Result<std::int64_t> SecretLock::failures(std::string_view reference, Time oldest) {
  return only(connection_, "SELECT count(*) FROM secret_failure WHERE reference = ? AND at > ?",
              column<std::int64_t>, reference, oldest);
}

std::string kem_secret_context(ByteView transactionID) {
  return "kem_secret/" + to_hex(transactionID);
}

Result<std::optional<KemSecret>> KemSecrets::find(ByteView transactionID, KemSecret::Owner owner) {
  const auto read = [&](Row& row) {
    KemSecret secret;
    secret.transactionID = to_bytes(transactionID);
    secret.owner = owner;
    row.into(secret.ciphertext, secret.credential, secret.info, secret.sealed, secret.at);
    return secret;
  };
  return one(connection_,
             "SELECT ciphertext, credential, info, sealed, at FROM kem_secret WHERE tid = ? AND "
             "owner = ?",
             read, transactionID, static_cast<std::int64_t>(owner));
}

Result<bool> KemSecrets::knows_ciphertext(const Sha256& ciphertext) {
  return any(connection_, "SELECT 1 FROM kem_secret WHERE ciphertext = ?", ciphertext);
}

Result<bool> KemSecrets::add(const KemSecret& secret, Time oldest) {
  TRY(change(connection_, "DELETE FROM kem_secret WHERE at < ?", oldest));
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             "INSERT OR IGNORE INTO kem_secret (tid, owner, ciphertext, credential, "
             "info, sealed, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
             secret.transactionID, static_cast<std::int64_t>(secret.owner), secret.ciphertext,
             secret.credential, secret.info, secret.sealed, secret.at));
  return changed == 1;
}

}  // namespace cmpost
