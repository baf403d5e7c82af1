#include "ca/ledger/audit.h"

#include <algorithm>

#include "ca/ledger/audit_replay.h"

namespace cmpost {
namespace {

// Few enough for flat memory, enough to make the statement's start not count.
constexpr std::size_t kRecordsAtATime = 1000;

void append_number(Bytes& target, std::uint64_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    target.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

AuditRecord read_audit_record(const Statement& row) {
  return {row.integer(0), from_unix_micros(row.integer(1)), std::string(row.text(2)),
          std::string(row.text(3)), to_bytes(row.blob(4))};
}

}  // namespace

Sha256 audit_hash(const Sha256& previous, Time time, std::string_view event,
                  std::string_view detail) {
  Bytes input;
  input.reserve(previous.size() + 12 + event.size() + detail.size());
  append(input, previous);
  append_number(input, static_cast<std::uint64_t>(to_unix_micros(time)), 8);
  append_number(input, event.size(), 4);
  append(input, view_of(event));
  append(input, view_of(detail));
  return sha256(input);
}

Result<AuditHead> audit_head(Connection& connection) {
  ASSIGN_OR_RETURN(Statement* const query,
                   connection.statement("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool found, query->step());
  AuditHead head;
  if (found) {
    head.id = query->integer(0);
    const ByteView hash = query->blob(1);
    std::copy_n(hash.begin(), std::min(hash.size(), head.hash.size()), head.hash.begin());
  }
  query->reset();
  return head;
}

Result<std::vector<AuditRecord>> audit_records(Connection& connection, std::int64_t after_id,
                                               std::size_t limit) {
  ASSIGN_OR_RETURN(Statement* const query,
                   connection.statement("SELECT id, time, event, detail, hash FROM audit "
                                        "WHERE id > ? ORDER BY id LIMIT ?"));
  query->bind(1, after_id);
  query->bind(2, static_cast<std::int64_t>(limit));
  std::vector<AuditRecord> records;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, query->step());
    if (!found) break;
    records.push_back(read_audit_record(*query));
  }
  query->reset();
  return records;
}

Result<std::int64_t> for_each_audit(Connection& connection, const ListFilter& filter,
                                    const std::function<Result<void>(const AuditRecord&)>& each) {
  static const ListColumns kColumns = {
      .time = "time", .event = "event", .subject = "detail", .reason = "detail"};
  const ListQuery query("id, time, event, detail, hash", "audit", kColumns, filter);
  TRY(query.for_each(connection,
                     [&](const Statement& row) { return each(read_audit_record(row)); }));
  return query.count(connection);
}

Result<AuditHead> append_audit(Connection& connection, const AuditHead& head, Time time,
                               std::string_view event, std::string_view detail) {
  const AuditHead next{head.id + 1, audit_hash(head.hash, time, event, detail)};
  ASSIGN_OR_RETURN(Statement* const insert,
                   connection.statement(
                       "INSERT INTO audit (id, time, event, detail, hash) VALUES (?, ?, ?, ?, ?)"));
  insert->bind(1, next.id);
  insert->bind(2, to_unix_micros(time));
  insert->bind(3, event);
  insert->bind(4, detail);
  insert->bind(5, ByteView(next.hash));
  TRY(insert->execute());
  return next;
}

Result<std::optional<std::int64_t>> verify_audit(Connection& connection) {
  return replay_audit(connection, {});
}

Result<std::optional<std::int64_t>> replay_audit(
    Connection& connection, const std::function<Result<void>(const AuditRecord&)>& each) {
  AuditHead head;
  while (true) {
    ASSIGN_OR_RETURN(const auto records, audit_records(connection, head.id, kRecordsAtATime));
    for (const AuditRecord& record : records) {
      const Sha256 hash = audit_hash(head.hash, record.time, record.event, record.detail);
      if (record.id != head.id + 1 || !equal(hash, record.hash)) return record.id;
      head = {record.id, hash};
      if (each) TRY(each(record));
    }
    if (records.size() < kRecordsAtATime) return std::nullopt;
  }
}

}  // namespace cmpost
