#include "processor/transaction/announcement_table.h"

#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kAnnouncementMigrations = {{1, R"sql(
CREATE TABLE announcement (
  id      INTEGER PRIMARY KEY,
  digest  BLOB    NOT NULL UNIQUE,
  at      INTEGER NOT NULL,
  channel TEXT    NOT NULL,
  body    TEXT    NOT NULL,
  sender  TEXT    NOT NULL,
  der     BLOB    NOT NULL
);
CREATE TABLE announced (
  job BLOB PRIMARY KEY,
  at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE announcing (
  only           INTEGER PRIMARY KEY CHECK (only = 1),
  audit_position INTEGER NOT NULL
);
)sql"}};

namespace {

ReceivedAnnouncement read_announcement(Row& row) {
  ReceivedAnnouncement found;
  row.into(found.id, found.digest, found.at, found.channel, found.body, found.sender, found.der);
  return found;
}

}  // namespace

Result<void> AnnouncementTable::add(const ReceivedAnnouncement& announcement) {
  TRY(change(connection_,
             "INSERT INTO announcement (digest, at, channel, body, sender, der) "
             "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
             announcement.digest, announcement.at, announcement.channel, announcement.body,
             announcement.sender, announcement.der));
  return {};
}

Result<std::int64_t> AnnouncementTable::for_each(
    const ListFilter& filter,
    const std::function<Result<void>(const ReceivedAnnouncement&)>& each) {
  static const ListColumns kColumns = {.time = "at", .channel = "channel", .requester = "sender"};
  const ListQuery query("id, digest, at, channel, body, sender, der", "announcement", kColumns,
                        filter);
  return query.for_each_counted(connection_,
                                [&](Row& row) { return each(read_announcement(row)); });
}

Result<std::optional<ReceivedAnnouncement>> AnnouncementTable::find(std::int64_t id) {
  return one(connection_,
             "SELECT id, digest, at, channel, body, sender, der FROM announcement WHERE id = ?",
             read_announcement, id);
}

Result<bool> AnnouncementTable::is_out(const JobId& job) {
  return any(connection_, "SELECT 1 FROM announced WHERE job = ?", job.octets);
}

Result<void> AnnouncementTable::mark_out(const JobId& job, Time at) {
  TRY(change(connection_, "INSERT INTO announced (job, at) VALUES (?, ?) ON CONFLICT DO NOTHING",
             job.octets, at));
  return {};
}

Result<std::optional<std::int64_t>> AnnouncementTable::audit_position() {
  return one(connection_, "SELECT audit_position FROM announcing WHERE only = 1",
             column<std::int64_t>);
}

Result<void> AnnouncementTable::set_audit_position(std::int64_t id) {
  TRY(change(connection_,
             "INSERT INTO announcing (only, audit_position) VALUES (1, ?) ON CONFLICT (only) DO "
             "UPDATE SET audit_position = excluded.audit_position",
             id));
  return {};
}

}  // namespace cmpost
