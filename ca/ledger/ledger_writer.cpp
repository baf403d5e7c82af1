#include <algorithm>
#include <string>

#include "base/json_object.h"
#include "ca/ledger/ledger.h"
#include "ca/ledger/ledger_rows.h"
#include "ca/ledger/ledger_schema.h"
#include "store/borrowed_connection.h"

namespace cmpost {
namespace {

constexpr std::string_view kInsert =
    "INSERT INTO certificate (id, generation, serial, key_hash, subject_hash, issued, not_after, "
    "state, revoked_at, reason, invalidity_date, subject, profile, channel, requester, tid, der, "
    "holder) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

// The SubjectPublicKeyInfo of a certificate, found without parsing the rest.
der::Parsed<ByteView> find_spki(ByteView certificate) {
  der::Reader input(certificate);
  ASSIGN_OR_RETURN(der::Reader outer, input.enter(der::kSequence));
  ASSIGN_OR_RETURN(der::Reader tbs, outer.enter(der::kSequence));
  TRY(tbs.optional(der::context_constructed(0)));  // version
  TRY(tbs.expect(der::kInteger));                  // serialNumber
  TRY(tbs.expect(der::kSequence));                 // signature
  TRY(tbs.expect(der::kSequence));                 // issuer
  TRY(tbs.expect(der::kSequence));                 // validity
  TRY(tbs.expect(der::kSequence));                 // subject
  ASSIGN_OR_RETURN(const der::Element spki, tbs.expect(der::kSequence));
  return spki.whole;
}

void bind_reason(Statement& statement, int index, const std::optional<CRLReason>& reason) {
  if (reason) {
    statement.bind(index, static_cast<std::int64_t>(*reason));
  } else {
    statement.bind_null(index);
  }
}

// Five places for the expected states; what is left unbound is NULL and equals nothing.
#define IF_EXPECTED "WHERE serial = ? AND state IN (?, ?, ?, ?, ?)"

// A state that belongs on a CRL needs a revocationDate, whatever way it was reached.
constexpr std::string_view kChangeToRevoked =
    "UPDATE certificate SET state = ?, revoked_at = COALESCE(revoked_at, ?), "
    "reason = NULLIF(reason, 6) " IF_EXPECTED;
constexpr std::string_view kChangeToHeld =
    "UPDATE certificate SET held_from = state, state = ?, revoked_at = COALESCE(revoked_at, ?), "
    "reason = 6 " IF_EXPECTED;
constexpr std::string_view kChangeToGood =
    "UPDATE certificate SET state = ?, revoked_at = NULL, reason = NULL, "
    "invalidity_date = NULL " IF_EXPECTED;

bool on_crl(CertificateState state) {
  return state == CertificateState::revoked || state == CertificateState::held;
}

std::string_view change_to(CertificateState state) {
  if (state == CertificateState::revoked) return kChangeToRevoked;
  if (state == CertificateState::held) return kChangeToHeld;
  return kChangeToGood;
}

// X.509 (10/2019) 9.5.3.1 of a hold that becomes final: the revocation date is the date on which
// the certificate was placed on hold.
constexpr std::string_view kRevoke =
    "UPDATE certificate SET state = 'revoked', revoked_at = COALESCE(revoked_at, ?), reason = ?, "
    "invalidity_date = COALESCE(?, invalidity_date) WHERE serial = ? AND state <> 'revoked'";

constexpr std::string_view kHold =
    "UPDATE certificate SET held_from = state, state = 'held', revoked_at = ?, reason = ?, "
    "invalidity_date = ? "
    "WHERE serial = ? AND state NOT IN ('held', 'revoked')";

constexpr std::string_view kUnrevoke =
    "UPDATE certificate SET state = COALESCE(held_from, 'valid'), held_from = NULL, "
    "revoked_at = NULL, reason = NULL, invalidity_date = NULL WHERE serial = ? AND state = "
    "'held'";

// Old CRLs are of no use to anybody; some stay so that an operator can compare.
constexpr std::int64_t kKeptCrls = 10;

}  // namespace

LedgerReader LedgerWriter::reader() {
  return LedgerReader(std::make_unique<BorrowedConnection>(connection_));
}

Result<std::int64_t> LedgerWriter::add(const CertificateRecord& record) {
  const auto spki = find_spki(record.der);
  if (!spki) return hold("a certificate for the ledger is malformed: " + spki.error().what);
  if (!last_id_) {
    ASSIGN_OR_RETURN(last_id_, last_certificate_id(connection_));
  }
  const std::int64_t id = *last_id_ + 1;
  ASSIGN_OR_RETURN(Statement* const insert, connection_.statement(kInsert));
  insert->bind(1, id);
  insert->bind(2, generation_of(id));
  insert->bind(3, ByteView(record.serial));
  insert->bind(4, lookup_hash(*spki));
  insert->bind(5, to_unix_micros(record.issued));
  insert->bind(6, to_unix_micros(record.not_after));
  insert->bind(7, to_string(record.state));
  bind_optional(*insert, 8, record.revoked_at);
  bind_reason(*insert, 9, record.reason);
  bind_optional(*insert, 10, record.invalidity_date);
  insert->bind(11, std::string_view(record.subject));
  insert->bind(12, std::string_view(record.profile));
  insert->bind(13, std::string_view(record.channel));
  insert->bind(14, std::string_view(record.requester));
  insert->bind(15, std::string_view(record.tid));
  insert->bind(16, ByteView(record.der));
  insert->bind(17, ByteView(record.holder));
  TRY(insert->execute());
  last_id_ = id;
  return id;
}

Result<bool> LedgerWriter::has_key(ByteView spki, std::int64_t seen, Time now) {
  if (!last_id_) {
    ASSIGN_OR_RETURN(last_id_, last_certificate_id(connection_));
  }
  ASSIGN_OR_RETURN(Statement* const query,
                   connection_.statement("SELECT der FROM certificate WHERE generation = ? AND "
                                         "key_hash = ? AND id > ? AND state <> 'revoked' AND "
                                         "not_after >= ?"));
  const std::int64_t hash = lookup_hash(spki);
  bool found = false;
  for (auto generation = generation_of(seen + 1); !found && generation <= generation_of(*last_id_);
       ++generation) {
    query->bind(1, generation);
    query->bind(2, hash);
    query->bind(3, seen);
    query->bind(4, to_unix_micros(now));
    while (!found) {
      ASSIGN_OR_RETURN(const bool row, query->step());
      if (!row) break;
      const Bytes der = to_bytes(query->blob(0));
      const auto key = find_spki(der);
      found = key && equal(*key, spki);
    }
    query->reset();
  }
  return found;
}

Result<bool> LedgerWriter::change_state(ByteView serial,
                                        const std::vector<CertificateState>& expected,
                                        CertificateState state) {
  constexpr std::size_t kMostExpected = 5;
  CHECK(expected.size() <= kMostExpected);
  ASSIGN_OR_RETURN(Statement* const update, connection_.statement(change_to(state)));
  int index = 0;
  update->bind(++index, to_string(state));
  if (on_crl(state)) update->bind(++index, to_unix_micros(clock_.now()));
  update->bind(++index, serial);
  for (const CertificateState from : expected) update->bind(++index, to_string(from));
  ASSIGN_OR_RETURN(const std::int64_t changed, update->execute());
  if (changed != 1) return false;
  // Here, so that no change is without one; records of revoke() and unrevoke() are the callers',
  // who know why.
  TRY(audit("certificate.changed",
            JsonObject().add("serial", to_hex(serial)).add("state", to_string(state)).text()));
  return true;
}

Result<bool> LedgerWriter::revoke(ByteView serial, CRLReason reason, Time when,
                                  std::optional<Time> invalidity_date) {
  if (reason == CRLReason::removeFromCRL) {
    return hold("removeFromCRL is no reason to revoke a certificate");
  }
  const bool hold_only = reason == CRLReason::certificateHold;
  ASSIGN_OR_RETURN(Statement* const update, connection_.statement(hold_only ? kHold : kRevoke));
  update->bind(1, to_unix_micros(when));
  update->bind(2, static_cast<std::int64_t>(reason));
  bind_optional(*update, 3, invalidity_date);
  update->bind(4, serial);
  ASSIGN_OR_RETURN(const std::int64_t changed, update->execute());
  return changed == 1;
}

Result<bool> LedgerWriter::unrevoke(ByteView serial) {
  ASSIGN_OR_RETURN(Statement* const update, connection_.statement(kUnrevoke));
  update->bind(1, serial);
  ASSIGN_OR_RETURN(const std::int64_t changed, update->execute());
  return changed == 1;
}

Result<void> LedgerWriter::carry(const RevokedCertificate& entry) {
  ASSIGN_OR_RETURN(Statement* const insert,
                   connection_.statement("INSERT OR IGNORE INTO carried_revocation (serial, "
                                         "revoked_at, reason, invalidity_date) "
                                         "VALUES (?, ?, ?, ?)"));
  insert->bind(1, ByteView(entry.userCertificate));
  insert->bind(2, to_unix_micros(entry.revocationDate));
  insert->bind(3, static_cast<std::int64_t>(entry.reason.value_or(CRLReason::unspecified)));
  bind_optional(*insert, 4, entry.invalidityDate);
  TRY(insert->execute());
  return {};
}

Result<void> LedgerWriter::keep_above(std::uint64_t crl_number) {
  ASSIGN_OR_RETURN(Statement* const raise,
                   connection_.statement("INSERT INTO crl_floor VALUES (1, ?) ON CONFLICT (one) DO "
                                         "UPDATE SET number = max(number, excluded.number)"));
  raise->bind(1, static_cast<std::int64_t>(crl_number));
  TRY(raise->execute());
  return {};
}

Result<void> LedgerWriter::add_crl(std::uint64_t number, ByteView der, Time this_update,
                                   Time next_update, std::optional<std::uint64_t> base) {
  const auto signed_number = static_cast<std::int64_t>(number);
  ASSIGN_OR_RETURN(Statement* const insert,
                   connection_.statement("INSERT INTO crl (number, this_update, next_update, der, "
                                         "base) VALUES (?, ?, ?, ?, ?)"));
  insert->bind(1, signed_number);
  insert->bind(2, to_unix_micros(this_update));
  insert->bind(3, to_unix_micros(next_update));
  insert->bind(4, der);
  base ? insert->bind(5, static_cast<std::int64_t>(*base)) : insert->bind_null(5);
  TRY(insert->execute());
  ASSIGN_OR_RETURN(Statement* const forget,
                   connection_.statement("DELETE FROM crl WHERE number <= ? AND number < (SELECT "
                                         "max(number) FROM crl WHERE base IS NULL)"));
  forget->bind(1, signed_number - kKeptCrls);
  TRY(forget->execute());
  return {};
}

Result<void> LedgerWriter::audit(std::string_view event, std::string_view detail) {
  if (!audit_head_) {
    ASSIGN_OR_RETURN(audit_head_, cmpost::audit_head(connection_));
  }
  ASSIGN_OR_RETURN(audit_head_,
                   append_audit(connection_, *audit_head_, clock_.now(), event, detail));
  return {};
}

}  // namespace cmpost
