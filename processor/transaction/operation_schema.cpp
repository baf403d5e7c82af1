#include "processor/transaction/operation_schema.h"

#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kOperationMigrations = {
    // refused.number counts those of a kind, so that the oldest ones are found without looking at
    // the others.
    {1, R"sql(
CREATE TABLE refused (
  id INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  channel TEXT NOT NULL,
  job BLOB NOT NULL,
  source TEXT NOT NULL,
  tid BLOB NOT NULL,
  body TEXT NOT NULL,
  requester TEXT NOT NULL,
  known INTEGER NOT NULL,
  subject TEXT NOT NULL,
  serial TEXT NOT NULL,
  stage TEXT NOT NULL,
  fail_info TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  reply_body TEXT NOT NULL,
  digest BLOB NOT NULL
);
CREATE UNIQUE INDEX refused_by_number ON refused (channel, known, number);
CREATE INDEX refused_by_age ON refused (at);
CREATE TABLE settings_seen (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  sha256 BLOB NOT NULL
);
)sql"},
    // Of a message that is worked on again there is one row.
    {2, R"sql(
DELETE FROM refused WHERE id NOT IN (SELECT max(id) FROM refused GROUP BY job, digest);
CREATE UNIQUE INDEX refused_once ON refused (job, digest);
)sql"},
    // See the processor's version 11.
    {3, R"sql(
ALTER TABLE refused ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
CREATE INDEX refused_by_run ON refused (run) WHERE run <> 0;
CREATE TABLE run_unlisted (run INTEGER PRIMARY KEY, refused INTEGER NOT NULL);
)sql"},
};

Result<std::optional<Bytes>> SettingsSeen::newest() {
  return one(connection_, "SELECT sha256 FROM settings_seen", column<Bytes>);
}

Result<void> SettingsSeen::put(const Sha256& digest) {
  TRY(change(connection_, "INSERT OR REPLACE INTO settings_seen VALUES (1, ?)", digest));
  return {};
}

}  // namespace cmpost
