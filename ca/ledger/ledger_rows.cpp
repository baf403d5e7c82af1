#include "ca/ledger/ledger_rows.h"

#include <string>

namespace cmpost {
namespace {

std::optional<CRLReason> next_reason(Row& row) {
  const auto number = row.next<std::optional<std::int64_t>>();
  return number ? crl_reason(*number) : std::nullopt;
}

}  // namespace

Result<CertificateRecord> read_record(Row& row) {
  CertificateRecord record;
  row.into(record.id, record.serial, record.der, record.subject, record.profile, record.channel,
           record.requester, record.tid, record.issued, record.not_after);
  const auto state_text = row.next<std::string_view>();
  const auto state = certificate_state(state_text);
  if (!state) {
    return hold("the ledger's certificate " + std::to_string(record.id) +
                " has the unknown state \"" + printable(state_text) + "\"");
  }
  record.state = *state;
  row.into(record.revoked_at);
  record.reason = next_reason(row);
  row.into(record.invalidity_date, record.holder);
  const auto held_from = row.next<std::optional<std::string_view>>();
  if (held_from) record.held_from = certificate_state(*held_from);
  return record;
}

// NULL reads as 0.
Result<std::int64_t> last_certificate_id(Connection& connection) {
  return only(connection, "SELECT max(id) FROM certificate", column<std::int64_t>);
}

Result<std::vector<RevokedCertificate>> read_revoked(Connection& connection,
                                                     Time not_expired_before) {
  const auto read = [](Row& row) {
    RevokedCertificate entry;
    row.into(entry.userCertificate, entry.revocationDate);
    entry.reason = next_reason(row);
    row.into(entry.invalidityDate);
    return entry;
  };
  // "state <> 'valid'" is said so that the partial index is used. When those end whose certificates
  // are not here nobody knows.
  return all(connection,
             "SELECT serial, revoked_at, reason, invalidity_date FROM carried_revocation "
             "WHERE serial NOT IN (SELECT serial FROM certificate WHERE state = 'revoked') "
             "UNION ALL SELECT * FROM (SELECT serial, revoked_at, reason, invalidity_date "
             "FROM certificate WHERE state <> 'valid' AND state IN ('held', 'revoked') "
             "AND not_after >= ? ORDER BY id)",
             read, not_expired_before);
}

// NULL reads as 0.
Result<std::uint64_t> newest_crl_number(Connection& connection) {
  return only(connection, "SELECT max(number) FROM crl", column<std::uint64_t>);
}

Result<std::uint64_t> last_crl_number(Connection& connection) {
  return only(connection,
              "SELECT max(number) FROM (SELECT max(number) AS number FROM crl UNION ALL "
              "SELECT number FROM crl_floor)",
              column<std::uint64_t>);
}

Result<std::optional<NumberedCrl>> read_newest_crl(Connection& connection, CrlKind kind) {
  const auto read = [](Row& row) {
    NumberedCrl crl;
    row.into(crl.first, crl.second);
    return crl;
  };
  return one(connection,
             kind == CrlKind::complete
                 ? "SELECT number, der FROM crl WHERE base IS NULL ORDER BY number DESC LIMIT 1"
                 : "SELECT number, der FROM crl WHERE base IS NOT NULL ORDER BY number DESC LIMIT "
                   "1",
             read);
}

}  // namespace cmpost
