#include "queue/spool_schema.h"

namespace cmpost {
namespace {

constexpr std::string_view kShared = R"(
  -- next: the seq of the next job; jobs: how many rows there are; settled: the ids of all jobs up
  -- to this seq are in the id table, those of later ones are in memory (see id_index.h).
  CREATE TABLE queue(
    name TEXT PRIMARY KEY, next INTEGER NOT NULL, jobs INTEGER NOT NULL, settled INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO queue VALUES ('request', 1, 0, 0), ('reply', 1, 0, 0);

  -- Who holds leases: alive as long as the file "<database>.owner-<token>" is locked.
  CREATE TABLE owner(number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL) STRICT;
)";

// The payload has its own table, since a change of state writes the whole row again. One
// index serves all states but `done`: whoever asks for `ended IS NULL` uses it, and however many
// jobs are done costs the living ones nothing. Times
// are microseconds since 1970.
constexpr std::string_view kQueue = R"(
  CREATE TABLE $(
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    state TEXT NOT NULL,        -- waiting active deferred held done
    attempts INTEGER NOT NULL,
    owner INTEGER,              -- active: who; done: 0 where it was dropped
    at INTEGER,                 -- active: when the lease runs out; deferred: the next try
    arrived INTEGER NOT NULL,
    ended INTEGER,              -- done: when; null in every other state
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    channel TEXT NOT NULL, source TEXT NOT NULL,
    reply_channel TEXT NOT NULL, reply_address TEXT NOT NULL, reply_name TEXT NOT NULL,
    in_reply_to TEXT NOT NULL, reply_references TEXT NOT NULL,
    body TEXT NOT NULL, tid TEXT NOT NULL
  ) STRICT;
  CREATE INDEX $_open ON $(state, at) WHERE ended IS NULL;
  CREATE TABLE $_payload(seq INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT;
  CREATE TABLE $_id(
    prefix INTEGER NOT NULL,    -- the first 8 octets of the id
    seq INTEGER NOT NULL,
    PRIMARY KEY (prefix, seq)
  ) STRICT, WITHOUT ROWID;
)";

// How often a person has released it when it was held.
constexpr std::string_view kReleases =
    "ALTER TABLE $ ADD COLUMN released INTEGER NOT NULL DEFAULT 0;";

}  // namespace

std::string for_table(std::string_view sql, std::string_view table) {
  std::string text;
  for (const char c : sql) {
    if (c == '$') {
      text += table;
    } else {
      text.push_back(c);
    }
  }
  return text;
}

const std::vector<Migration>& spool_migrations() {
  static const std::string first =
      std::string(kShared) + for_table(kQueue, "request") + for_table(kQueue, "reply");
  static const std::string second = for_table(kReleases, "request") + for_table(kReleases, "reply");
  static const std::vector<Migration> migrations = {{1, first.c_str()}, {2, second.c_str()}};
  return migrations;
}

}  // namespace cmpost
