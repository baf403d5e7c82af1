#include <algorithm>
#include <string>
#include <utility>

#include "ca/ledger/ledger.h"
#include "ca/ledger/ledger_rows.h"
#include "ca/ledger/ledger_schema.h"
#include "store/database_transaction.h"
#include "store/list_query.h"

namespace cmpost {
namespace {

#define SELECT_RECORD "SELECT " CMPOST_RECORD_COLUMNS " FROM certificate "

bool has_key(const CertificateRecord& record, ByteView spki) {
  const auto certificate = Certificate::from_der(record.der);
  return certificate && equal(certificate->spki(), spki);
}

constexpr std::string_view kByKey = SELECT_RECORD "WHERE generation = ? AND key_hash = ?";

// Adds to `found` what one generation has.
Result<void> look_up(Connection& connection, std::string_view sql, std::int64_t generation,
                     std::int64_t hash, std::vector<CertificateRecord>& found) {
  ASSIGN_OR_RETURN(auto records, all(connection, sql, read_record, generation, hash));
  std::move(records.begin(), records.end(), std::back_inserter(found));
  return {};
}

// Runs `work` on one snapshot: its own, unless the caller has begun one.
template <typename Work>
Result<void> on_snapshot(Connection& connection, Work&& work) {
  if (connection.in_transaction()) return work();
  DatabaseTransaction transaction(connection);
  TRY(transaction.begin_read());
  TRY(work());
  return transaction.commit();
}

}  // namespace

Result<std::optional<CertificateRecord>> LedgerReader::find(ByteView serial) {
  return one(*connection_, SELECT_RECORD "WHERE serial = ?", read_record, serial);
}

Result<std::int64_t> LedgerReader::for_each(
    const ListFilter& filter, const std::function<Result<void>(const CertificateRecord&)>& each) {
  static const ListColumns kColumns = {.time = "issued",
                                       .channel = "channel",
                                       .state = "state",
                                       .profile = "profile",
                                       .subject = "subject",
                                       .requester = "requester",
                                       .expires = "not_after",
                                       .sorts = {{"subject", "subject"},
                                                 {"profile", "profile"},
                                                 {"channel", "channel"},
                                                 {"requester", "requester"},
                                                 {"state", "state"},
                                                 {"notAfter", "not_after"}}};
  ListQuery query(CMPOST_RECORD_COLUMNS, "certificate", kColumns, filter);
  // The partial index covers all states but `valid`; SQLite uses it when it sees its condition.
  if (!filter.state.empty() && filter.state != to_string(CertificateState::valid)) {
    query.require("state <> 'valid'");
  }
  return query.for_each_counted(*connection_, [&](Row& row) -> Result<void> {
    ASSIGN_OR_RETURN(const auto record, read_record(row));
    return each(record);
  });
}

Result<std::vector<Bytes>> LedgerReader::serials_beginning(std::string_view digits,
                                                           std::size_t limit) {
  std::vector<Bytes> found;
  // INTEGER is signed: before what begins with a bit there is an octet of zeros.
  for (const auto* zeros : {"", "00"}) {
    ListQuery query("serial", "certificate", {}, {.newest = true, .limit = limit});
    query.require_beginning("serial", zeros + std::string(digits));
    TRY(query.for_each(*connection_, [&](Row& row) -> Result<void> {
      auto serial = row.next<Bytes>();
      if (found.size() < limit) found.push_back(std::move(serial));
      return {};
    }));
  }
  return found;
}

Result<std::vector<CertificateRecord>> LedgerReader::ever_with_key(ByteView spki) {
  const std::int64_t hash = lookup_hash(spki);
  std::vector<CertificateRecord> found;
  TRY(on_snapshot(*connection_, [&]() -> Result<void> {
    ASSIGN_OR_RETURN(const std::int64_t last_id, last_certificate_id(*connection_));
    const std::int64_t newest = generation_of(last_id);
    TRY(key_filter_.read_before(*connection_, newest));
    TRY(look_up(*connection_, kByKey, newest, hash, found));
    for (const std::int64_t generation : key_filter_.candidates(hash, newest)) {
      TRY(look_up(*connection_, kByKey, generation, hash, found));
    }
    return {};
  }));
  std::erase_if(found, [&](const CertificateRecord& record) { return !has_key(record, spki); });
  return found;
}

Result<std::vector<CertificateRecord>> LedgerReader::with_key(ByteView spki, Time now) {
  ASSIGN_OR_RETURN(auto found, ever_with_key(spki));
  std::erase_if(found, [&](const CertificateRecord& record) {
    return record.state == CertificateState::revoked || record.not_after < now;
  });
  return found;
}

Result<std::vector<RevokedCertificate>> LedgerReader::revoked(Time not_expired_before) {
  return read_revoked(*connection_, not_expired_before);
}

Result<std::optional<std::pair<std::uint64_t, Bytes>>> LedgerReader::newest_crl() {
  return read_newest_crl(*connection_);
}

Result<std::optional<std::pair<std::uint64_t, Bytes>>> LedgerReader::newest_delta_crl() {
  return read_newest_crl(*connection_, CrlKind::delta);
}

Result<std::int64_t> LedgerReader::for_each_crl(
    const ListFilter& filter, const std::function<Result<void>(const CrlRow&)>& each) {
  static const ListColumns kColumns = {.row = "number", .time = "this_update"};
  const ListQuery query("number, base, this_update, next_update, length(der)", "crl", kColumns,
                        filter);
  return query.for_each_counted(*connection_, [&](Row& row) {
    CrlRow crl;
    row.into(crl.number, crl.base, crl.this_update, crl.next_update, crl.size);
    return each(crl);
  });
}

// Certificates are never deleted and their ids have no gaps.
Result<std::int64_t> LedgerReader::count() { return last_certificate_id(*connection_); }

Result<std::vector<AuditRecord>> LedgerReader::audit(std::int64_t after_id, std::size_t limit) {
  return audit_records(*connection_, after_id, limit);
}

Result<std::int64_t> LedgerReader::for_each_audit(
    const ListFilter& filter, const std::function<Result<void>(const AuditRecord&)>& each) {
  return cmpost::for_each_audit(*connection_, filter, each);
}

Result<std::vector<std::string>> LedgerReader::audit_events() {
  std::vector<std::string> events;
  const ListQuery query("DISTINCT event", "audit");
  TRY(query.for_each(*connection_, [&](Row& row) -> Result<void> {
    events.push_back(row.next<std::string>());
    return {};
  }));
  return events;
}

Result<AuditHead> LedgerReader::audit_head() { return cmpost::audit_head(*connection_); }

}  // namespace cmpost
