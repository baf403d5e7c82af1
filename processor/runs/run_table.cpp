#include "processor/runs/run_table.h"

#include <algorithm>

#include "base/joined.h"
#include "store/rows.h"

namespace cmpost {

// run_item: what was in a run when it ended, so that its report stays what it was. run_held: which
// run has put a job aside, 0 for before the first.
const std::vector<Migration> kRunMigrations = {
    {1, R"sql(
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  channels TEXT NOT NULL,
  planned INTEGER,
  started INTEGER NOT NULL,
  ended INTEGER,
  end_state TEXT NOT NULL,
  resumed INTEGER NOT NULL,
  who TEXT NOT NULL,
  continues INTEGER,
  first_audit INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  facts TEXT NOT NULL,
  signature BLOB NOT NULL
);
CREATE INDEX run_by_name ON run (name, id);
CREATE INDEX run_under_way ON run (id) WHERE ended IS NULL;
CREATE INDEX run_continued ON run (continues) WHERE continues IS NOT NULL;
CREATE TABLE run_item (
  run INTEGER NOT NULL REFERENCES run (id),
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  result TEXT NOT NULL,
  channel TEXT NOT NULL,
  source TEXT NOT NULL,
  tid BLOB NOT NULL,
  body TEXT NOT NULL,
  requester TEXT NOT NULL,
  subject TEXT NOT NULL,
  serials TEXT NOT NULL,
  profile TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE run_held (job BLOB PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID;
)sql"},
    // sums: what the signature is over; reported: since when the report is where it belongs; the
    // certificates of a run come after first_certificate. run_known: since when somebody looks
    // for the times of a run.
    {2, R"sql(
ALTER TABLE run ADD COLUMN sums BLOB NOT NULL DEFAULT x'';
ALTER TABLE run ADD COLUMN reported INTEGER;
ALTER TABLE run ADD COLUMN first_certificate INTEGER NOT NULL DEFAULT 0;
UPDATE run SET reported = ended WHERE signature <> x'';
ALTER TABLE run_held ADD COLUMN channel TEXT NOT NULL DEFAULT '';
CREATE TABLE run_known (name TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
)sql"},
};

namespace {

constexpr std::string_view kColumns =
    "SELECT id, name, channels, planned, started, ended, end_state, resumed, who, continues, "
    "first_audit, facts, signature, sums, reported, first_certificate FROM run ";

// Names of channels have no blanks.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Result<RunRow> read_run(Row& row) {
  RunRow run;
  row.into(run.number, run.name);
  run.channels = split(row.next<std::string_view>());
  row.into(run.planned, run.started, run.ended);
  const auto word = row.next<std::string>();
  row.into(run.resumed, run.who, run.continues, run.first_audit, run.facts, run.signature, run.sums,
           run.reported, run.first_certificate);
  const auto end = run_end(word);
  if (run.ended && !end) return hold("the ledger has a run that ended as " + printable(word));
  if (end) run.end = *end;
  return run;
}

std::string sql(std::string_view where) { return std::string(kColumns) + std::string(where); }

}  // namespace

Result<std::int64_t> RunTable::begin(const RunRow& run) {
  TRY(change(connection_,
             "INSERT INTO run (name, channels, planned, started, end_state, resumed, who, "
             "continues, first_audit, quarantined, facts, signature, first_certificate) "
             "VALUES (?, ?, ?, ?, '', 0, ?, ?, ?, 0, '', x'', "
             "(SELECT ifnull(max(id), 0) FROM certificate))",
             run.name, joined(run.channels, " "), run.planned, run.started, run.who, run.continues,
             run.first_audit));
  const auto number = connection_.last_insert_id();
  TRY(know(run.name, run.planned.value_or(run.started)));
  for (const auto& channel : run.channels) {
    TRY(change(connection_, "INSERT INTO run_channel VALUES (?, ?)", channel, number));
  }
  return number;
}

Result<bool> RunTable::resume(std::int64_t number) {
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_, "UPDATE run SET resumed = resumed + 1 WHERE id = ? AND ended IS NULL",
             number));
  return changed == 1;
}

Result<bool> RunTable::end(std::int64_t number, RunEnd end, Time at, std::string_view facts) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          "UPDATE run SET ended = ?, end_state = ?, facts = ? WHERE id = ? AND "
                          "ended IS NULL",
                          at, to_string(end), facts, number));
  TRY(change(connection_, "DELETE FROM run_channel WHERE run = ?", number));
  return changed == 1;
}

Result<void> RunTable::sign(std::int64_t number, ByteView signature, ByteView sums) {
  TRY(change(connection_, "UPDATE run SET signature = ?, sums = ? WHERE id = ?", signature, sums,
             number));
  return {};
}

Result<void> RunTable::note_reported(std::int64_t number, Time at) {
  TRY(change(connection_, "UPDATE run SET reported = ? WHERE id = ? AND reported IS NULL", at,
             number));
  return {};
}

Result<Time> RunTable::known_since(std::string_view name) {
  ASSIGN_OR_RETURN(const auto since, one(connection_, "SELECT since FROM run_known WHERE name = ?",
                                         column<Time>, name));
  return since.value_or(Time::max());
}

Result<void> RunTable::know(std::string_view name, Time now) {
  TRY(change(connection_, "INSERT OR IGNORE INTO run_known VALUES (?, ?)", name, now));
  return {};
}

Result<void> RunTable::forget_others(const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(const auto known,
                   all(connection_, "SELECT name FROM run_known", column<std::string>));
  for (const auto& name : known) {
    if (std::ranges::find(names, name) != names.end()) continue;
    TRY(change(connection_, "DELETE FROM run_known WHERE name = ?", name));
  }
  return {};
}

Result<std::optional<RunRow>> RunTable::find(std::int64_t number) {
  return one(connection_, sql("WHERE id = ?"), read_run, number);
}

Result<std::optional<RunRow>> RunTable::newest(std::string_view name) {
  return one(connection_, sql("WHERE name = ? ORDER BY id DESC LIMIT 1"), read_run, name);
}

Result<std::vector<RunRow>> RunTable::under_way() {
  return all(connection_, sql("WHERE ended IS NULL ORDER BY id"), read_run);
}

Result<std::vector<RunRow>> RunTable::unreported(std::string_view name) {
  return all(connection_,
             sql("WHERE name = ? AND ended IS NOT NULL AND reported IS NULL AND facts <> '' "
                 "ORDER BY id LIMIT 100"),
             read_run, name);
}

Result<std::optional<std::int64_t>> RunTable::continued_by(std::int64_t number) {
  return one(connection_, "SELECT id FROM run WHERE continues = ? ORDER BY id LIMIT 1",
             column<std::int64_t>, number);
}

Result<std::vector<RunRow>> RunTable::list(std::string_view name, std::size_t limit) {
  return all(connection_, sql("WHERE ? IN ('', name) ORDER BY id DESC LIMIT ?"), read_run, name,
             limit);
}

Result<void> RunTable::look(std::int64_t number, Progress& seen) {
  const auto read = [&](Row& row) {
    std::uint64_t messages = 0, refused = 0;
    row.into(messages, refused);
    seen.items += messages;
    seen.refused += refused;
    return row.next<std::int64_t>();
  };
  const auto read_issued = [&](Row& row) {
    seen.issued += row.next<std::uint64_t>();
    return row.next<std::int64_t>();
  };
  ASSIGN_OR_RETURN(
      const auto message,
      only(connection_,
           "SELECT count(*), ifnull(sum(result = 'refused'), 0), ifnull(max(id), ?) FROM message "
           "WHERE run = ? AND id > ? AND body NOT IN ('nested', 'certConf', 'pollReq', 'popdecr')",
           read, seen.last_message, number, seen.last_message));
  ASSIGN_OR_RETURN(const auto refused,
                   only(connection_,
                        "SELECT count(*), count(*), ifnull(max(id), ?) FROM refused WHERE run = ? "
                        "AND id > ?",
                        read, seen.last_refused, number, seen.last_refused));
  ASSIGN_OR_RETURN(
      const auto certificate,
      only(connection_,
           "SELECT count(*), ifnull(max(id), ?) FROM certificate WHERE id > max(?, (SELECT "
           "first_certificate FROM run WHERE id = ?)) AND channel IN (SELECT channel FROM "
           "run_channel WHERE run = ?)",
           read_issued, seen.last_certificate, seen.last_certificate, number, number));
  seen.last_message = message;
  seen.last_refused = refused;
  seen.last_certificate = certificate;
  return {};
}

}  // namespace cmpost
