#include "ca/ledger/ledger_schema.h"

#include "crypto/keys/algorithm.h"

namespace cmpost {
namespace {

// The order of `certificate` is the order of issuing; ids have no gaps. A serial number starts
// with its time, so its index, too, grows at the end only.
constexpr const char* kFirstVersion = R"sql(
CREATE TABLE certificate (
  id              INTEGER PRIMARY KEY,
  generation      INTEGER NOT NULL,  -- id >> 15, see ledger_schema.h
  serial          BLOB    NOT NULL,  -- INTEGER content octets
  key_hash        INTEGER NOT NULL,  -- of the SubjectPublicKeyInfo
  subject_hash    INTEGER NOT NULL,  -- not used since version 3: a name has many spellings
  issued          INTEGER NOT NULL,  -- times are microseconds since 1970
  not_after       INTEGER NOT NULL,
  state           TEXT    NOT NULL,
  revoked_at      INTEGER,
  reason          INTEGER,           -- CRLReason (RFC 5280 5.3.1)
  invalidity_date INTEGER,
  subject         TEXT    NOT NULL,
  profile         TEXT    NOT NULL,
  channel         TEXT    NOT NULL,
  requester       TEXT    NOT NULL,
  tid             TEXT    NOT NULL,
  der             BLOB    NOT NULL
);
CREATE UNIQUE INDEX certificate_serial ON certificate (serial);
CREATE INDEX certificate_key ON certificate (generation, key_hash);
CREATE INDEX certificate_subject ON certificate (generation, subject_hash);
CREATE INDEX certificate_state ON certificate (state, id) WHERE state <> 'valid';

CREATE TABLE crl (
  number      INTEGER PRIMARY KEY,   -- cRLNumber
  this_update INTEGER NOT NULL,
  next_update INTEGER NOT NULL,
  der         BLOB    NOT NULL
);

CREATE TABLE audit (
  id     INTEGER PRIMARY KEY,        -- from 1, no gaps
  time   INTEGER NOT NULL,
  event  TEXT    NOT NULL,
  detail TEXT    NOT NULL,
  hash   BLOB    NOT NULL            -- see audit.h
);
)sql";

}  // namespace

const std::vector<Migration>& ledger_migrations() {
  static const std::vector<Migration> migrations = {
      {1, kFirstVersion},
      // base: a delta CRL's; the two kinds share their numbers (RFC 5280 5.2.3).
      {2, "ALTER TABLE crl ADD COLUMN base INTEGER"},
      {3,
       "ALTER TABLE certificate ADD COLUMN holder BLOB NOT NULL DEFAULT x'';"
       "DROP INDEX certificate_subject"},
      // held_from: what a certificate on hold was before, and is again when it is released; NULL
      // for valid, which those were taken for that are on hold already.
      {4, "ALTER TABLE certificate ADD COLUMN held_from TEXT"},
      // Of certificates that the ledger does not have, see LedgerWriter::carry().
      {5,
       "CREATE TABLE carried_revocation (serial BLOB PRIMARY KEY, revoked_at INTEGER NOT NULL, "
       "reason INTEGER NOT NULL, invalidity_date INTEGER) WITHOUT ROWID"},
      // Of CRLs that the ledger does not have, see LedgerWriter::keep_above().
      {6,
       "CREATE TABLE crl_floor (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL)"},
  };
  return migrations;
}

std::int64_t lookup_hash(ByteView value) {
  const Sha256 digest = sha256(value);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = (number << 8) | digest[i];
  return static_cast<std::int64_t>(number);
}

}  // namespace cmpost
