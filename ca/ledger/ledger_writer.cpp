#include <algorithm>
#include <array>
#include <string>

#include "base/json_object.h"
#include "ca/ledger/ledger.h"
#include "ca/ledger/ledger_rows.h"
#include "ca/ledger/ledger_schema.h"
#include "store/borrowed_connection.h"
#include "store/rows.h"

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

std::optional<std::int64_t> number_of(const std::optional<CRLReason>& reason) {
  if (!reason) return std::nullopt;
  return static_cast<std::int64_t>(*reason);
}

// Five places for the expected states; NULL equals nothing.
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
  TRY(change(connection_, kInsert, id, generation_of(id), record.serial, lookup_hash(*spki),
             record.issued, record.not_after, to_string(record.state), record.revoked_at,
             number_of(record.reason), record.invalidity_date, record.subject, record.profile,
             record.channel, record.requester, record.tid, record.der, record.holder));
  last_id_ = id;
  return id;
}

Result<bool> LedgerWriter::has_key(ByteView spki, std::int64_t seen, Time now) {
  if (!last_id_) {
    ASSIGN_OR_RETURN(last_id_, last_certificate_id(connection_));
  }
  const std::int64_t hash = lookup_hash(spki);
  bool found = false;
  const auto look = [&](Row& row) {
    const auto key = find_spki(row.next<ByteView>());
    found = key && equal(*key, spki);
    return !found;
  };
  for (auto generation = generation_of(seen + 1); !found && generation <= generation_of(*last_id_);
       ++generation) {
    TRY(each(connection_,
             "SELECT der FROM certificate WHERE generation = ? AND key_hash = ? AND id > ? AND "
             "state <> 'revoked' AND not_after >= ?",
             look, generation, hash, seen, now));
  }
  return found;
}

Result<bool> LedgerWriter::change_state(ByteView serial,
                                        const std::vector<CertificateState>& expected,
                                        CertificateState state) {
  std::array<std::optional<std::string_view>, 5> any_of;
  CHECK(expected.size() <= any_of.size());
  std::ranges::transform(expected, any_of.begin(),
                         [](CertificateState from) { return to_string(from); });
  const auto sql = change_to(state);
  ASSIGN_OR_RETURN(const auto changed,
                   on_crl(state)
                       ? change(connection_, sql, to_string(state), clock_.now(), serial, any_of)
                       : change(connection_, sql, to_string(state), serial, any_of));
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
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_, hold_only ? kHold : kRevoke, when,
                          static_cast<std::int64_t>(reason), invalidity_date, serial));
  return changed == 1;
}

Result<bool> LedgerWriter::unrevoke(ByteView serial) {
  ASSIGN_OR_RETURN(const auto changed, change(connection_, kUnrevoke, serial));
  return changed == 1;
}

Result<void> LedgerWriter::carry(const RevokedCertificate& entry) {
  TRY(change(connection_,
             "INSERT OR IGNORE INTO carried_revocation (serial, revoked_at, reason, "
             "invalidity_date) VALUES (?, ?, ?, ?)",
             entry.userCertificate, entry.revocationDate,
             number_of(entry.reason.value_or(CRLReason::unspecified)), entry.invalidityDate));
  return {};
}

Result<void> LedgerWriter::keep_above(std::uint64_t crl_number) {
  TRY(change(connection_,
             "INSERT INTO crl_floor VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET number = "
             "max(number, excluded.number)",
             crl_number));
  return {};
}

Result<void> LedgerWriter::add_crl(std::uint64_t number, ByteView der, Time this_update,
                                   Time next_update, std::optional<std::uint64_t> base) {
  TRY(change(connection_,
             "INSERT INTO crl (number, this_update, next_update, der, base) VALUES (?, ?, ?, ?, ?)",
             number, this_update, next_update, der, base));
  TRY(change(connection_,
             "DELETE FROM crl WHERE number <= ? AND number < (SELECT max(number) FROM crl WHERE "
             "base IS NULL)",
             static_cast<std::int64_t>(number) - kKeptCrls));
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
