#include "processor/credentials/protection_tables.h"

#include <algorithm>
#include <cstring>

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
};

Result<StrangerCount::Seen> StrangerCount::note(const std::string& channel, Time now) {
  const auto hour = to_unix_micros(std::chrono::floor<std::chrono::hours>(now));
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT hour, count FROM stranger_count WHERE channel = ?"));
  rows->bind(1, std::string_view(channel));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  const auto since = found ? rows->integer(0) : hour;
  const auto before = found ? rows->integer(1) : 0;
  rows->reset();
  const bool same_hour = since == hour;
  ASSIGN_OR_RETURN(auto* const put,
                   connection_.statement("INSERT INTO stranger_count (channel, hour, count) VALUES "
                                         "(?1, ?2, ?3) ON CONFLICT (channel) DO UPDATE SET hour = "
                                         "?2, count = ?3"));
  const auto count = same_hour ? before + 1 : 1;
  put->bind(1, std::string_view(channel));
  put->bind(2, hour);
  put->bind(3, count);
  TRY(put->execute());
  Seen seen{count <= kRecordedAnHour, 0, from_unix_micros(since)};
  if (!same_hour) seen.left_out_before = std::max<std::int64_t>(0, before - kRecordedAnHour);
  return seen;
}

Result<SecretLock::State> SecretLock::state(const std::string& reference,
                                            const std::string& channel, const std::string& peer,
                                            const MacSettings& limits, Time now) {
  constexpr std::uint32_t kMostRows = 1000;  // where the settings have no limit
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT count(*), count(CASE WHEN peer = ?1 THEN 1 END) FROM "
                            "secret_failure WHERE reference = ?2 AND channel = ?3 AND at > ?4"));
  rows->bind(1, std::string_view(peer));
  rows->bind(2, std::string_view(reference));
  rows->bind(3, std::string_view(channel));
  rows->bind(4, to_unix_micros(now - limits.lock_time));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  const auto all = found ? rows->integer(0) : 0;
  const auto from_peer = found ? rows->integer(1) : 0;
  rows->reset();
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
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM secret_failure WHERE reference = ? AND "
                                         "channel = ? AND at <= ?"));
  removal->bind(1, std::string_view(failure.reference));
  removal->bind(2, std::string_view(failure.channel));
  removal->bind(3, to_unix_micros(oldest));
  TRY(removal->execute());
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement("INSERT OR IGNORE INTO secret_failure (reference, channel, message, "
                            "peer, at) VALUES (?, ?, ?, ?, ?)"));
  insert->bind(1, std::string_view(failure.reference));
  insert->bind(2, std::string_view(failure.channel));
  insert->bind(3, ByteView(failure.message));
  insert->bind(4, std::string_view(failure.peer));
  insert->bind(5, to_unix_micros(failure.at));
  TRY(insert->execute());
  return {};
}

Result<std::int64_t> SecretLock::unlock(std::string_view reference) {
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM secret_failure WHERE reference = ?"));
  removal->bind(1, reference);
  ASSIGN_OR_RETURN(const auto changed, removal->execute());
  return changed;
}

Result<std::int64_t> SecretLock::failures(std::string_view reference, Time oldest) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT count(*) FROM secret_failure WHERE reference = ? AND at > ?"));
  rows->bind(1, reference);
  rows->bind(2, to_unix_micros(oldest));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  const auto count = found ? rows->integer(0) : 0;
  rows->reset();
  return count;
}

std::string kem_secret_context(ByteView transactionID) {
  return "kem_secret/" + to_hex(transactionID);
}

Result<std::optional<KemSecret>> KemSecrets::find(ByteView transactionID, KemSecret::Owner owner) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT ciphertext, credential, info, sealed, at FROM "
                                         "kem_secret WHERE tid = ? AND owner = ?"));
  rows->bind(1, transactionID);
  rows->bind(2, static_cast<std::int64_t>(owner));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  KemSecret secret;
  secret.transactionID = to_bytes(transactionID);
  secret.owner = owner;
  const auto digest = rows->blob(0);
  if (digest.size() == secret.ciphertext.size()) {
    std::memcpy(secret.ciphertext.data(), digest.data(), digest.size());
  }
  secret.credential = rows->text(1);
  secret.info = to_bytes(rows->blob(2));
  secret.sealed = to_bytes(rows->blob(3));
  secret.at = from_unix_micros(rows->integer(4));
  rows->reset();
  return secret;
}

Result<bool> KemSecrets::knows_ciphertext(const Sha256& ciphertext) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT 1 FROM kem_secret WHERE ciphertext = ?"));
  rows->bind(1, ByteView(ciphertext));
  const auto found = rows->step();
  rows->reset();
  return found;
}

Result<bool> KemSecrets::add(const KemSecret& secret, Time oldest) {
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM kem_secret WHERE at < ?"));
  removal->bind(1, to_unix_micros(oldest));
  TRY(removal->execute());
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement("INSERT OR IGNORE INTO kem_secret (tid, owner, ciphertext, "
                            "credential, info, sealed, at) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert->bind(1, ByteView(secret.transactionID));
  insert->bind(2, static_cast<std::int64_t>(secret.owner));
  insert->bind(3, ByteView(secret.ciphertext));
  insert->bind(4, std::string_view(secret.credential));
  insert->bind(5, ByteView(secret.info));
  insert->bind(6, ByteView(secret.sealed));
  insert->bind(7, to_unix_micros(secret.at));
  ASSIGN_OR_RETURN(const auto changed, insert->execute());
  return changed == 1;
}

}  // namespace cmpost
