#include "processor/batches/batch_table.h"

#include <algorithm>

#include "store/rows.h"

namespace cmpost {

// batch_try: the messages of an item, one after the other; their octets apart, since lists do not
// need them. What was noted is empty until it is final.
const std::vector<Migration> kBatchMigrations = {
    {1, R"sql(
CREATE TABLE batch (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL,
  channel TEXT NOT NULL,
  origin TEXT NOT NULL,
  list TEXT NOT NULL,
  who TEXT NOT NULL,
  begun INTEGER NOT NULL,
  made INTEGER,
  started INTEGER,
  ended INTEGER,
  dropped INTEGER
);
CREATE INDEX batch_by_digest ON batch (digest);
CREATE TABLE batch_item (
  batch INTEGER NOT NULL REFERENCES batch (id),
  number INTEGER NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  name TEXT NOT NULL,
  serial TEXT NOT NULL,
  mac TEXT NOT NULL,
  wanted TEXT NOT NULL,
  profile TEXT NOT NULL,
  note TEXT NOT NULL,
  finding TEXT NOT NULL,
  detail TEXT NOT NULL,
  taken INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  PRIMARY KEY (batch, number)
) WITHOUT ROWID;
CREATE TABLE batch_try (
  batch INTEGER NOT NULL REFERENCES batch (id),
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  file TEXT NOT NULL,
  digest BLOB NOT NULL,
  tid BLOB NOT NULL,
  body TEXT NOT NULL,
  subject TEXT NOT NULL,
  put INTEGER,
  job BLOB NOT NULL,
  noted TEXT NOT NULL,
  noted_reason TEXT NOT NULL,
  noted_fail_info TEXT NOT NULL,
  noted_serials TEXT NOT NULL,
  PRIMARY KEY (batch, item, attempt)
) WITHOUT ROWID;
CREATE INDEX batch_try_by_digest ON batch_try (digest);
CREATE INDEX batch_try_not_put ON batch_try (batch, item) WHERE put IS NULL;
CREATE TABLE batch_octets (
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  item INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  sealed INTEGER NOT NULL,
  octets BLOB NOT NULL
);
CREATE UNIQUE INDEX batch_octets_of ON batch_octets (batch, item, attempt);
)sql"},
};

namespace {

constexpr std::string_view kBatch =
    "SELECT id, name, digest, channel, origin, list, who, begun, made, started, ended, dropped "
    "FROM batch ";

BatchRow read_batch(Row& row) {
  BatchRow batch;
  row.into(batch.id, batch.name, batch.digest, batch.channel, batch.origin, batch.list, batch.who,
           batch.begun, batch.made, batch.started, batch.ended, batch.dropped);
  return batch;
}

std::string sql(std::string_view where) { return std::string(kBatch) + std::string(where); }

// Of items without a request the columns of the try are NULL, which is empty.
#define ITEMS                                                                                    \
  "SELECT i.number, i.file, i.line, i.name, i.serial, i.mac, i.wanted, i.profile, i.note, "      \
  "i.finding, i.detail, i.taken, t.attempt, t.file, t.digest, t.tid, t.body, t.subject, t.put, " \
  "t.job, t.noted, t.noted_reason, t.noted_fail_info, t.noted_serials FROM batch_item AS i "     \
  "LEFT JOIN batch_try AS t ON t.batch = i.batch AND t.item = i.number AND t.attempt = i.attempt "

Result<BatchEntry> read_item(Row& row) {
  BatchEntry item;
  row.into(item.number, item.file, item.line, item.name, item.serial, item.mac, item.wanted,
           item.profile, item.note);
  const auto word = row.next<std::string>();
  auto& request = item.request;
  row.into(item.detail, item.taken, request.attempt, request.file, request.digest,
           request.transactionID, request.body, request.subject, request.put, request.job.octets,
           request.noted, request.noted_reason, request.noted_failInfo, request.noted_serials);
  const auto finding = batch_finding(word);
  if (!finding) return hold("the ledger has an item of a batch that is " + printable(word));
  item.finding = *finding;
  return item;
}

Result<void> add_request(Connection& connection, std::int64_t batch, std::int64_t item,
                         const BatchRequest& request, const BatchOctets& octets) {
  TRY(change(connection,
             "INSERT INTO batch_try VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, x'', '', '', '', '')",
             batch, item, request.attempt, request.file, request.digest, request.transactionID,
             request.body, request.subject));
  TRY(change(
      connection,
      "INSERT INTO batch_octets (batch, item, attempt, sealed, octets) VALUES (?, ?, ?, ?, ?)",
      batch, item, request.attempt, octets.sealed, octets.octets));
  return {};
}

}  // namespace

Result<std::optional<BatchRow>> BatchTable::find(std::string_view name) {
  return one(connection_, sql("WHERE name = ?"), read_batch, name);
}

Result<std::optional<BatchRow>> BatchTable::find(const Sha256& digest) {
  return one(connection_, sql("WHERE digest = ? AND dropped IS NULL ORDER BY id LIMIT 1"),
             read_batch, digest);
}

Result<std::vector<BatchRow>> BatchTable::list(const ListFilter& filter) {
  const auto cut = [](std::size_t number) {
    return static_cast<std::int64_t>(std::min<std::size_t>(number, INT64_MAX));
  };
  return all(
      connection_,
      sql(filter.newest ? "ORDER BY id DESC LIMIT ? OFFSET ?" : "ORDER BY id LIMIT ? OFFSET ?"),
      read_batch, filter.limit ? cut(*filter.limit) : -1, cut(filter.offset));
}

Result<std::int64_t> BatchTable::count() {
  return only(connection_, "SELECT count(*) FROM batch", column<std::int64_t>);
}

Result<std::int64_t> BatchTable::begin(const BatchRow& batch) {
  for (const auto* table : {"batch_octets", "batch_try", "batch_item"}) {
    TRY(change(connection_,
               "DELETE FROM " + std::string(table) +
                   " WHERE batch = (SELECT id FROM batch WHERE name = ? AND made IS NULL)",
               batch.name));
  }
  TRY(change(connection_, "DELETE FROM batch WHERE name = ? AND made IS NULL", batch.name));
  TRY(change(connection_,
             "INSERT INTO batch (name, digest, channel, origin, list, who, begun) VALUES (?, ?, ?, "
             "?, ?, ?, ?)",
             batch.name, batch.digest, batch.channel, batch.origin, batch.list, batch.who,
             batch.begun));
  return connection_.last_insert_id();
}

Result<void> BatchTable::add(std::int64_t batch, const BatchEntry& item,
                             const BatchOctets& octets) {
  ASSIGN_OR_RETURN(
      const auto added,
      change(connection_,
             "INSERT OR IGNORE INTO batch_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             batch, item.number, item.file, item.line, item.name, item.serial, item.mac,
             item.wanted, item.profile, item.note, to_string(item.finding), item.detail, item.taken,
             item.request.attempt));
  if (added == 0 || item.request.attempt == 0) return {};
  return add_request(connection_, batch, item.number, item.request, octets);
}

Result<std::int64_t> BatchTable::last_item(std::int64_t batch) {
  return only(connection_, "SELECT ifnull(max(number), 0) FROM batch_item WHERE batch = ?",
              column<std::int64_t>, batch);
}

Result<void> BatchTable::finish(std::int64_t batch, Time at) {
  TRY(change(connection_, "UPDATE batch SET made = ? WHERE id = ?", at, batch));
  return {};
}

Result<void> BatchTable::add_try(std::int64_t batch, std::int64_t item, const BatchRequest& request,
                                 const BatchOctets& octets) {
  TRY(change(connection_,
             "UPDATE batch_item SET attempt = ?, taken = 1 WHERE batch = ? AND number = ?",
             request.attempt, batch, item));
  return add_request(connection_, batch, item, request, octets);
}

Result<void> BatchTable::for_each(std::int64_t batch,
                                  const std::function<Result<void>(const BatchEntry&)>& each_item,
                                  bool last_first) {
  const auto visit = [&](Row& row) -> Result<void> {
    ASSIGN_OR_RETURN(const auto item, read_item(row));
    return each_item(item);
  };
  constexpr const char* kFirst = ITEMS "WHERE i.batch = ? ORDER BY i.number";
  constexpr const char* kLast = ITEMS "WHERE i.batch = ? ORDER BY i.number DESC";
  return each(connection_, last_first ? kLast : kFirst, visit, batch);
}

Result<std::vector<BatchEntry>> BatchTable::not_put(std::int64_t batch, std::int64_t after,
                                                    std::size_t limit) {
  return all(connection_,
             ITEMS
             "WHERE i.batch = ? AND i.number > ? AND i.taken = 1 AND t.put IS NULL AND "
             "t.attempt IS NOT NULL ORDER BY i.number LIMIT ?",
             read_item, batch, after, limit);
}

Result<BatchOctets> BatchTable::octets(std::int64_t batch, std::int64_t item,
                                       std::int64_t attempt) {
  const auto read = [](Row& row) {
    BatchOctets octets;
    row.into(octets.sealed, octets.octets);
    return octets;
  };
  ASSIGN_OR_RETURN(auto found,
                   one(connection_,
                       "SELECT sealed, octets FROM batch_octets WHERE batch = ? AND item = ? AND "
                       "attempt = ?",
                       read, batch, item, attempt));
  return found ? *std::move(found) : BatchOctets{};
}

Result<void> BatchTable::start(std::int64_t batch, Time at) {
  TRY(change(connection_, "UPDATE batch SET started = ?, ended = NULL WHERE id = ?", at, batch));
  return {};
}

Result<void> BatchTable::note_put(std::int64_t batch, const BatchEntry& item, const JobId& job,
                                  Time at) {
  TRY(change(connection_,
             "UPDATE batch_try SET put = ?, job = ? WHERE batch = ? AND item = ? AND attempt = ?",
             at, job.octets, batch, item.number, item.request.attempt));
  return {};
}

Result<void> BatchTable::forget_put(std::int64_t batch, const BatchEntry& item) {
  TRY(change(connection_,
             "UPDATE batch_try SET put = NULL WHERE batch = ? AND item = ? AND attempt = ?", batch,
             item.number, item.request.attempt));
  return {};
}

Result<void> BatchTable::end(std::int64_t batch, Time at) {
  TRY(change(connection_, "UPDATE batch SET ended = ? WHERE id = ?", at, batch));
  return {};
}

Result<void> BatchTable::drop(std::int64_t batch, Time at) {
  TRY(change(connection_, "UPDATE batch SET dropped = ? WHERE id = ?", at, batch));
  TRY(change(connection_, "DELETE FROM batch_octets WHERE batch = ?", batch));
  return {};
}

Result<void> BatchTable::note(std::int64_t batch, const BatchEntry& item, bool keep_octets) {
  const auto& request = item.request;
  TRY(change(connection_,
             "UPDATE batch_try SET noted = ?, noted_reason = ?, noted_fail_info = ?, "
             "noted_serials = ? WHERE batch = ? AND item = ? AND attempt = ?",
             request.noted, request.noted_reason, request.noted_failInfo, request.noted_serials,
             batch, item.number, request.attempt));
  if (keep_octets) return {};
  TRY(change(connection_, "DELETE FROM batch_octets WHERE batch = ? AND item = ?", batch,
             item.number));
  return {};
}

Result<std::optional<std::string>> BatchTable::batch_with(const Sha256& digest,
                                                          std::string_view but) {
  return one(connection_,
             "SELECT batch.name FROM batch_try AS t JOIN batch_item AS i ON i.batch = t.batch AND "
             "i.number = t.item JOIN batch ON batch.id = t.batch WHERE t.digest = ? AND "
             "i.taken = 1 AND batch.name <> ? AND batch.made IS NOT NULL AND (batch.dropped IS "
             "NULL OR t.put IS NOT NULL) ORDER BY batch.id LIMIT 1",
             column<std::string>, digest, but);
}

Result<std::int64_t> BatchTable::count_not_put(std::int64_t batch) {
  return only(connection_,
              "SELECT count(*) FROM batch_item AS i JOIN batch_try AS t ON t.batch = i.batch AND "
              "t.item = i.number AND t.attempt = i.attempt WHERE i.batch = ? AND i.taken = 1 AND "
              "t.put IS NULL",
              column<std::int64_t>, batch);
}

}  // namespace cmpost
