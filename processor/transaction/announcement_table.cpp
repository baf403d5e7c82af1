#include "processor/transaction/announcement_table.h"

#include <algorithm>

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

#define SELECT_ANNOUNCEMENT "SELECT id, digest, at, channel, body, sender, der FROM announcement "

ReceivedAnnouncement read_announcement(const Statement& row) {
  ReceivedAnnouncement found;
  found.id = row.integer(0);
  const auto digest = row.blob(1);
  std::ranges::copy_n(digest.begin(),
                      static_cast<std::ptrdiff_t>(std::min(digest.size(), found.digest.size())),
                      found.digest.begin());
  found.at = from_unix_micros(row.integer(2));
  found.channel = row.text(3);
  found.body = row.text(4);
  found.sender = row.text(5);
  found.der = to_bytes(row.blob(6));
  return found;
}

Result<std::vector<ReceivedAnnouncement>> read_announcements(Statement& rows) {
  std::vector<ReceivedAnnouncement> all;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return all;
    all.push_back(read_announcement(rows));
  }
}

}  // namespace

Result<void> AnnouncementTable::add(const ReceivedAnnouncement& announcement) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT INTO announcement (digest, at, channel, body, "
                                         "sender, der) VALUES (?, ?, ?, ?, ?, ?) "
                                         "ON CONFLICT DO NOTHING"));
  insert->bind(1, ByteView(announcement.digest));
  insert->bind(2, to_unix_micros(announcement.at));
  insert->bind(3, std::string_view(announcement.channel));
  insert->bind(4, std::string_view(announcement.body));
  insert->bind(5, std::string_view(announcement.sender));
  insert->bind(6, ByteView(announcement.der));
  TRY(insert->execute());
  return {};
}

Result<std::vector<ReceivedAnnouncement>> AnnouncementTable::newest(std::size_t limit) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement(SELECT_ANNOUNCEMENT "ORDER BY id DESC LIMIT ?"));
  rows->bind(1, static_cast<std::int64_t>(limit));
  return read_announcements(*rows);
}

Result<std::int64_t> AnnouncementTable::for_each(
    const ListFilter& filter,
    const std::function<Result<void>(const ReceivedAnnouncement&)>& each) {
  static const ListColumns kColumns = {.time = "at", .channel = "channel", .requester = "sender"};
  const ListQuery query("id, digest, at, channel, body, sender, der", "announcement", kColumns,
                        filter);
  TRY(query.for_each(connection_,
                     [&](const Statement& row) { return each(read_announcement(row)); }));
  return query.count(connection_);
}

Result<std::optional<ReceivedAnnouncement>> AnnouncementTable::find(std::int64_t id) {
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(SELECT_ANNOUNCEMENT "WHERE id = ?"));
  rows->bind(1, id);
  ASSIGN_OR_RETURN(auto all, read_announcements(*rows));
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

Result<bool> AnnouncementTable::is_out(const JobId& job) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT 1 FROM announced WHERE job = ?"));
  rows->bind(1, ByteView(job.octets));
  const auto found = rows->step();
  rows->reset();
  return found;
}

Result<void> AnnouncementTable::mark_out(const JobId& job, Time at) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement(
                       "INSERT INTO announced (job, at) VALUES (?, ?) ON CONFLICT DO NOTHING"));
  insert->bind(1, ByteView(job.octets));
  insert->bind(2, to_unix_micros(at));
  TRY(insert->execute());
  return {};
}

Result<std::optional<std::int64_t>> AnnouncementTable::audit_position() {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT audit_position FROM announcing WHERE only = 1"));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  const auto position = rows->integer(0);
  rows->reset();
  return position;
}

Result<void> AnnouncementTable::set_audit_position(std::int64_t id) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT INTO announcing (only, audit_position) VALUES "
                                         "(1, ?) ON CONFLICT (only) DO UPDATE SET audit_position "
                                         "= excluded.audit_position"));
  insert->bind(1, id);
  TRY(insert->execute());
  return {};
}

}  // namespace cmpost
