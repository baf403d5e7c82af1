#include "ca/ledger/audit.h"

#include "ca/ledger/audit_replay.h"
#include "store/rows.h"

namespace cmpost {
namespace {

// Few enough for flat memory, enough to make the statement's start not count.
constexpr std::size_t kRecordsAtATime = 1000;

void append_number(Bytes& target, std::uint64_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    target.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

AuditRecord read_audit_record(Row& row) {
  AuditRecord record;
  row.into(record.id, record.time, record.event, record.detail, record.hash);
  return record;
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
  const auto read = [](Row& row) {
    AuditHead head;
    row.into(head.id, head.hash);
    return head;
  };
  ASSIGN_OR_RETURN(const auto head,
                   one(connection, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", read));
  return head.value_or(AuditHead{});
}

Result<std::vector<AuditRecord>> audit_records(Connection& connection, std::int64_t after_id,
                                               std::size_t limit) {
  return all(connection,
             "SELECT id, time, event, detail, hash FROM audit WHERE id > ? ORDER BY id LIMIT ?",
             read_audit_record, after_id, limit);
}

Result<std::int64_t> for_each_audit(Connection& connection, const ListFilter& filter,
                                    const std::function<Result<void>(const AuditRecord&)>& each) {
  static const ListColumns kColumns = {
      .time = "time", .event = "event", .subject = "detail", .reason = "detail"};
  const ListQuery query("id, time, event, detail, hash", "audit", kColumns, filter);
  return query.for_each_counted(connection, [&](Row& row) { return each(read_audit_record(row)); });
}

Result<AuditHead> append_audit(Connection& connection, const AuditHead& head, Time time,
                               std::string_view event, std::string_view detail) {
  const AuditHead next{head.id + 1, audit_hash(head.hash, time, event, detail)};
  TRY(change(connection, "INSERT INTO audit (id, time, event, detail, hash) VALUES (?, ?, ?, ?, ?)",
             next.id, time, event, detail, next.hash));
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
