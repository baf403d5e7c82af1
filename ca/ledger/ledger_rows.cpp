#include "ca/ledger/ledger_rows.h"

#include <string>

namespace cmpost {
namespace {

std::optional<Time> optional_time(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix_micros(row.integer(column));
}

std::optional<CRLReason> optional_reason(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return crl_reason(row.integer(column));
}

Result<std::uint64_t> number_of(Connection& connection, std::string_view sql) {
  ASSIGN_OR_RETURN(Statement* const query, connection.statement(sql));
  TRY(query->step());
  const auto number = static_cast<std::uint64_t>(query->integer(0));  // NULL reads as 0
  query->reset();
  return number;
}

}  // namespace

Result<CertificateRecord> read_record(const Statement& row) {
  CertificateRecord record;
  record.id = row.integer(0);
  record.serial = to_bytes(row.blob(1));
  record.der = to_bytes(row.blob(2));
  record.subject = row.text(3);
  record.profile = row.text(4);
  record.channel = row.text(5);
  record.requester = row.text(6);
  record.tid = row.text(7);
  record.issued = from_unix_micros(row.integer(8));
  record.not_after = from_unix_micros(row.integer(9));
  const auto state = certificate_state(row.text(10));
  if (!state) {
    return hold("the ledger's certificate " + std::to_string(record.id) +
                " has the unknown state \"" + printable(row.text(10)) + "\"");
  }
  record.state = *state;
  record.revoked_at = optional_time(row, 11);
  record.reason = optional_reason(row, 12);
  record.invalidity_date = optional_time(row, 13);
  record.holder = to_bytes(row.blob(14));
  if (!row.is_null(15)) record.held_from = certificate_state(row.text(15));
  return record;
}

Result<std::vector<CertificateRecord>> read_records(Statement& query) {
  std::vector<CertificateRecord> records;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, query.step());
    if (!found) break;
    auto record = read_record(query);
    if (!record) {
      query.reset();
      return failure(std::move(record).error());
    }
    records.push_back(*std::move(record));
  }
  query.reset();
  return records;
}

Result<std::int64_t> last_certificate_id(Connection& connection) {
  ASSIGN_OR_RETURN(Statement* const query, connection.statement("SELECT max(id) FROM certificate"));
  TRY(query->step());
  const std::int64_t id = query->integer(0);  // NULL reads as 0
  query->reset();
  return id;
}

Result<std::vector<RevokedCertificate>> read_revoked(Connection& connection,
                                                     Time not_expired_before) {
  // "state <> 'valid'" is said so that the partial index is used. When those end whose certificates
  // are not here nobody knows.
  ASSIGN_OR_RETURN(
      Statement* const query,
      connection.statement(
          "SELECT serial, revoked_at, reason, invalidity_date FROM carried_revocation "
          "WHERE serial NOT IN (SELECT serial FROM certificate WHERE state = 'revoked') "
          "UNION ALL SELECT * FROM (SELECT serial, revoked_at, reason, invalidity_date "
          "FROM certificate WHERE state <> 'valid' AND state IN ('held', 'revoked') "
          "AND not_after >= ? ORDER BY id)"));
  query->bind(1, to_unix_micros(not_expired_before));
  std::vector<RevokedCertificate> entries;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, query->step());
    if (!found) break;
    entries.push_back({to_bytes(query->blob(0)), from_unix_micros(query->integer(1)),
                       optional_reason(*query, 2), optional_time(*query, 3)});
  }
  query->reset();
  return entries;
}

Result<std::uint64_t> newest_crl_number(Connection& connection) {
  return number_of(connection, "SELECT max(number) FROM crl");
}

Result<std::uint64_t> last_crl_number(Connection& connection) {
  return number_of(connection,
                   "SELECT max(number) FROM (SELECT max(number) AS number FROM crl UNION ALL "
                   "SELECT number FROM crl_floor)");
}

Result<std::optional<NumberedCrl>> read_newest_crl(Connection& connection, CrlKind kind) {
  ASSIGN_OR_RETURN(
      Statement* const query,
      connection.statement(kind == CrlKind::complete
                               ? "SELECT number, der FROM crl WHERE base IS NULL ORDER BY number "
                                 "DESC LIMIT 1"
                               : "SELECT number, der FROM crl WHERE base IS NOT NULL ORDER BY "
                                 "number DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool found, query->step());
  std::optional<std::pair<std::uint64_t, Bytes>> newest;
  if (found)
    newest.emplace(static_cast<std::uint64_t>(query->integer(0)), to_bytes(query->blob(1)));
  query->reset();
  return newest;
}

void bind_optional(Statement& statement, int index, const std::optional<Time>& time) {
  if (time) {
    statement.bind(index, to_unix_micros(*time));
  } else {
    statement.bind_null(index);
  }
}

}  // namespace cmpost
