#include <algorithm>
#include <limits>
#include <string>

#include "ca/ledger.h"
#include "ca/ledger_rows.h"
#include "ca/ledger_schema.h"
#include "store/database_transaction.h"

namespace cmpost {
namespace {

#define SELECT_RECORD "SELECT " CMPOST_RECORD_COLUMNS " FROM certificate "

// For LIKE ... ESCAPE '\'.
std::string pattern_containing(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

std::string sql_of(const CertificateFilter& filter) {
  std::string sql = SELECT_RECORD "WHERE id > ?";
  // The partial index covers all states but `valid`; SQLite uses it when it sees its condition.
  if (filter.state) sql += " AND state = '" + std::string(to_string(*filter.state)) + "'";
  if (filter.state && *filter.state != CertificateState::valid) sql += " AND state <> 'valid'";
  if (filter.subject_contains) sql += " AND subject LIKE ? ESCAPE '\\'";
  if (filter.channel) sql += " AND channel = ?";
  if (filter.profile) sql += " AND profile = ?";
  if (filter.expires_before) sql += " AND not_after < ?";
  return sql + " ORDER BY id LIMIT ?";
}

bool has_key(const CertificateRecord& record, ByteView spki) {
  const auto certificate = Certificate::from_der(record.der);
  return certificate && equal(certificate->spki(), spki);
}

constexpr std::string_view kByKey = SELECT_RECORD "WHERE generation = ? AND key_hash = ?";

// Adds to `found` what one generation has.
Result<void> look_up(Connection& connection, std::string_view sql, std::int64_t generation,
                     std::int64_t hash, std::vector<CertificateRecord>& found) {
  ASSIGN_OR_RETURN(Statement* const query, connection.statement(sql));
  query->bind(1, generation);
  query->bind(2, hash);
  ASSIGN_OR_RETURN(auto records, read_records(*query));
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
  ASSIGN_OR_RETURN(Statement* const query,
                   connection_->statement(SELECT_RECORD "WHERE serial = ?"));
  query->bind(1, serial);
  ASSIGN_OR_RETURN(auto records, read_records(*query));
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

Result<std::vector<CertificateRecord>> LedgerReader::list(const CertificateFilter& filter) {
  const std::string sql = sql_of(filter);
  const std::string pattern = pattern_containing(filter.subject_contains.value_or(""));
  ASSIGN_OR_RETURN(Statement* const query, connection_->statement(sql));
  int index = 0;
  query->bind(++index, filter.after_id);
  if (filter.subject_contains) query->bind(++index, std::string_view(pattern));
  if (filter.channel) query->bind(++index, std::string_view(*filter.channel));
  if (filter.profile) query->bind(++index, std::string_view(*filter.profile));
  if (filter.expires_before) query->bind(++index, to_unix_micros(*filter.expires_before));
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  query->bind(++index, static_cast<std::int64_t>(std::min(filter.limit, kMost)));
  return read_records(*query);
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

// Certificates are never deleted and their ids have no gaps.
Result<std::int64_t> LedgerReader::count() { return last_certificate_id(*connection_); }

Result<std::vector<AuditRecord>> LedgerReader::audit(std::int64_t after_id, std::size_t limit) {
  return audit_records(*connection_, after_id, limit);
}

Result<AuditHead> LedgerReader::audit_head() { return cmpost::audit_head(*connection_); }

}  // namespace cmpost
