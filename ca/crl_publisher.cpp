#include "ca/crl_publisher.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "base/files.h"
#include "base/json_object.h"
#include "base/presence.h"
#include "ca/ledger/ledger_rows.h"
#include "ca/published_crl.h"

namespace cmpost {
namespace {

// Relying parties whose clocks are slow take a CRL as soon as they take a certificate.
constexpr auto kCrlSlack = std::chrono::minutes(5);  // as `not_before_slack` of profiles

std::string to_pem(ByteView der) {
  const std::string text = to_base64(der);
  std::string pem = "-----BEGIN X509 CRL-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) pem += text.substr(at, 64) + "\n";
  return pem + "-----END X509 CRL-----\n";
}

Bytes file_contents(const std::string& path, ByteView der) {
  const std::string_view name = path;
  if (name.ends_with(".crl") || name.ends_with(".der")) return to_bytes(der);
  return to_bytes(to_pem(der));
}

std::string audit_detail(const TBSCertList& tbs, ByteView der) {
  JsonObject detail;
  detail.add_number("number", static_cast<std::int64_t>(tbs.crlNumber));
  if (tbs.baseCRLNumber) detail.add_number("base", static_cast<std::int64_t>(*tbs.baseCRLNumber));
  return detail.add_number("entries", static_cast<std::int64_t>(tbs.revokedCertificates.size()))
      .add("nextUpdate", to_iso8601(tbs.nextUpdate))
      .add("sha256", to_hex(sha256(der)))
      .text();
}

// RFC 5280 3.3: "An entry MUST NOT be removed from the CRL until it appears on one regularly
// scheduled CRL issued beyond the revoked certificate's validity period." A CRL is made at least
// once in its lifetime, so an entry that stays this much longer has been on one.
Time oldest_not_after(Time now, const CrlSettings& settings) { return now - settings.lifetime; }

// What a revocation may end with: RFC 5280 3.3 when the certificate has expired, 5.3.1 a hold
// that is released. Nothing else takes an entry off.
Result<bool> may_leave_out(const RevokedCertificate& entry, Connection& connection, Time now,
                           const CrlSettings& settings) {
  ASSIGN_OR_RETURN(const auto not_after,
                   one(connection, "SELECT not_after FROM certificate WHERE serial = ?",
                       column<Time>, entry.userCertificate));
  if (!not_after) return false;
  const auto reason = entry.reason.value_or(CRLReason::unspecified);
  return *not_after < oldest_not_after(now, settings) || reason == CRLReason::certificateHold ||
         reason == CRLReason::removeFromCRL;
}

// A ledger that has lost a revocation (a row changed by hand, an older copy) must not take it off
// the CRL: who trusts the CRL would believe the certificate again.
Result<void> check_nothing_lost(const std::vector<RevokedCertificate>& before,
                                std::span<const RevokedCertificate> after, std::uint64_t number,
                                Connection& connection, Time now, const CrlSettings& settings) {
  std::set<std::string_view> listed;
  for (const auto& entry : after) listed.insert(text_of(entry.userCertificate));
  for (const auto& entry : before) {
    if (listed.contains(text_of(entry.userCertificate))) continue;
    ASSIGN_OR_RETURN(const bool fine, may_leave_out(entry, connection, now, settings));
    if (fine) continue;
    return hold("CRL " + std::to_string(number) + " revokes certificate " +
                    to_hex(entry.userCertificate) +
                    ", and the ledger does not any more: no CRL is issued without it",
                "`cmpost audit verify` names what was changed; restore the ledger, or revoke the "
                "certificate again by `cmpost cert revoke`");
  }
  return {};
}

// Against the newest complete CRL, and the delta CRL that was added to it. A CRL of another
// issuer was that of the key before a rollover.
Result<void> check_complete(std::span<const RevokedCertificate> entries, const Issuer& issuer,
                            Connection& connection, Time now, const CrlSettings& settings) {
  for (const auto kind : {CrlKind::complete, CrlKind::delta}) {
    ASSIGN_OR_RETURN(const auto newest, read_newest_crl(connection, kind));
    if (!newest) continue;
    ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
    if (!crl.issuer.same(issuer.certificate().subject())) continue;
    TRY(check_nothing_lost(crl.revokedCertificates, entries, newest->first, connection, now,
                           settings));
  }
  return {};
}

CrlTime whole_seconds(const CrlTime& time) {
  using std::chrono::seconds;
  return {std::chrono::floor<seconds>(time.sure), std::chrono::floor<seconds>(time.likely)};
}

std::vector<std::string> places_of(const CrlSettings& settings) {
  return {settings.publish, settings.publish_delta};
}

// Everything that the CRL says is read inside the transaction that stores it: no other process
// can take its number or revoke something meanwhile.
Result<Bytes> make_crl(LedgerWriter& writer, const Issuer& issuer, const CrlSettings& settings,
                       const CrlTime& now) {
  ASSIGN_OR_RETURN(const auto last,
                   highest_number_that_left(writer.connection(), issuer, places_of(settings)));
  TBSCertList tbs;
  tbs.crlNumber = last + 1;
  tbs.distributionPoint = settings.url;
  tbs.freshestCRL = settings.delta_url;
  tbs.thisUpdate = now.sure - kCrlSlack;
  tbs.nextUpdate = now.likely + settings.lifetime;
  ASSIGN_OR_RETURN(tbs.revokedCertificates,
                   read_revoked(writer.connection(), oldest_not_after(now.sure, settings)));
  TRY(check_complete(tbs.revokedCertificates, issuer, writer.connection(), now.sure, settings));
  ASSIGN_OR_RETURN(Bytes der, issuer.sign_crl(tbs));
  TRY(writer.add_crl(tbs.crlNumber, der, tbs.thisUpdate, tbs.nextUpdate));
  TRY(writer.audit("crl.issued", audit_detail(tbs, der)));
  return der;
}

using Entries = std::vector<RevokedCertificate>;

CRLReason reason_of(const RevokedCertificate& entry) {
  return entry.reason.value_or(CRLReason::unspecified);
}

// What a delta CRL says that its base does not. `said`: by the delta CRLs since then.
Entries changes_since(const CertificateList& base, const Entries& said, const Entries& now,
                      Time when) {
  std::map<Bytes, CRLReason> before;
  for (const auto& entry : base.revokedCertificates) {
    before[entry.userCertificate] = reason_of(entry);
  }
  // RFC 5280 5.2.4: "If the certificate was placed on hold in any CRL issued after the base but
  // before this delta CRL and then released from hold, it MUST be listed".
  std::map<Bytes, CRLReason> known = before;
  for (const auto& entry : said) known[entry.userCertificate] = reason_of(entry);
  Entries changes;
  for (const auto& entry : now) {
    const auto found = before.find(entry.userCertificate);
    if (found == before.end() || found->second != reason_of(entry)) changes.push_back(entry);
    known.erase(entry.userCertificate);
  }
  // Only a hold ends before the certificate does.
  for (const auto& [serial, reason] : known) {
    if (reason != CRLReason::certificateHold && reason != CRLReason::removeFromCRL) continue;
    changes.push_back({serial, when, CRLReason::removeFromCRL, std::nullopt});
  }
  return changes;
}

std::vector<std::pair<Bytes, CRLReason>> summary(const Entries& entries) {
  std::vector<std::pair<Bytes, CRLReason>> all;
  for (const auto& entry : entries) {
    all.emplace_back(entry.userCertificate, reason_of(entry));
  }
  std::ranges::sort(all);
  return all;
}

// RFC 5280 5.2.4: both "MUST omit the issuing distribution point extension or contain identical
// issuing distribution point extensions. Further, the CRL issuer MUST use the same private key".
Result<bool> can_be_added_to(const CertificateList& base, const Issuer& issuer,
                             const CrlSettings& settings, Time now) {
  if (base.nextUpdate.value_or(now) <= now) return false;
  if (base.issuingDistributionPoint != issuing_distribution_point(settings.url)) return false;
  ASSIGN_OR_RETURN(const auto key, issuer.certificate().public_key());
  ASSIGN_OR_RETURN(const auto verdict,
                   verify(key, base.signatureAlgorithm, base.tbs, base.signature));
  return verdict == Verdict::good;
}

// What the newest delta CRL to that base says; nothing when there is none.
Result<Entries> said_since(const CertificateList& base, Connection& connection) {
  ASSIGN_OR_RETURN(const auto newest, read_newest_crl(connection, CrlKind::delta));
  if (!newest) return Entries{};
  ASSIGN_OR_RETURN(auto delta, CertificateList::from_der(newest->second));
  if (delta.baseCRLNumber != base.crlNumber) return Entries{};
  return std::move(delta.revokedCertificates);
}

// nullopt: there is no complete CRL to add to.
Result<std::optional<Bytes>> make_delta(LedgerWriter& writer, const Issuer& issuer,
                                        const CrlSettings& settings, const CrlTime& now) {
  auto& connection = writer.connection();
  ASSIGN_OR_RETURN(const auto complete, read_newest_crl(connection));
  if (!complete) return std::nullopt;
  ASSIGN_OR_RETURN(const auto base, CertificateList::from_der(complete->second));
  ASSIGN_OR_RETURN(const bool fits, can_be_added_to(base, issuer, settings, now.likely));
  if (!fits) return std::nullopt;
  ASSIGN_OR_RETURN(const auto last,
                   highest_number_that_left(connection, issuer, places_of(settings)));
  ASSIGN_OR_RETURN(const auto own, newest_crl_number(connection));
  if (last > own) return std::nullopt;  // relying parties have a newer complete one already
  TBSCertList tbs;
  tbs.crlNumber = last + 1;
  tbs.baseCRLNumber = complete->first;
  tbs.distributionPoint = settings.url;
  tbs.thisUpdate = std::max(now.sure - kCrlSlack, base.thisUpdate);
  const Duration life = settings.delta > Duration::zero() ? 2 * settings.delta : settings.lifetime;
  tbs.nextUpdate = std::min<Time>(now.likely + life, base.nextUpdate.value_or(now.likely + life));
  ASSIGN_OR_RETURN(const auto revoked,
                   read_revoked(connection, oldest_not_after(now.sure, settings)));
  TRY(check_complete(revoked, issuer, connection, now.sure, settings));
  ASSIGN_OR_RETURN(const auto said, said_since(base, connection));
  tbs.revokedCertificates = changes_since(base, said, revoked, now.sure);
  ASSIGN_OR_RETURN(Bytes der, issuer.sign_crl(tbs));
  TRY(writer.add_crl(tbs.crlNumber, der, tbs.thisUpdate, tbs.nextUpdate, tbs.baseCRLNumber));
  TRY(writer.audit("crl.issued", audit_detail(tbs, der)));
  return der;
}

Result<bool> delta_is_due(LedgerReader& reader, const CertificateList& base, const Entries& revoked,
                          const CrlSettings& settings, Time now) {
  ASSIGN_OR_RETURN(const auto said, said_since(base, reader.connection()));
  if (summary(said) != summary(changes_since(base, said, revoked, now))) return true;
  ASSIGN_OR_RETURN(const auto newest, reader.newest_delta_crl());
  if (!newest) return now - base.thisUpdate >= settings.delta;
  ASSIGN_OR_RETURN(const auto delta, CertificateList::from_der(newest->second));
  return now - delta.thisUpdate >= settings.delta;
}

// What lies at `path` must not be replaced by less: a ledger that was restored is older than what
// has left the house.
Result<void> check_not_newer(ByteView present, const NumberedCrl& newest, const std::string& path) {
  const auto there = CertificateList::from_file(present);
  if (!there || there->crlNumber.value_or(0) <= newest.first) return {};
  ASSIGN_OR_RETURN(const auto own, CertificateList::from_der(newest.second));
  if (!there->issuer.same(own.issuer)) return {};
  return hold(
      "the CRL in " + path + " has the number " + std::to_string(*there->crlNumber) +
          ", the newest in the ledger " + std::to_string(newest.first),
      "the ledger is older than what has left: `cmpost restore-check` tells what is missing");
}

// The ledger has it in any case.
Result<void> put_in_place(const std::string& path, ByteView contents) {
  auto written = write_file(path, contents, 0644, IfExists::replace);
  if (written) return {};
  auto error = std::move(written).error().within("the CRL is issued, and not published");
  const auto directory = std::filesystem::path(path).parent_path().string();
  if (!exists(directory)) {
    error.hint = "make the directory " + directory +
                 ", or change `publish` in [ca] crl; then `cmpost " +
                 "run`, the service, or the next CRL writes it";
  }
  return failure(std::move(error));
}

Result<void> publish(LedgerReader& reader, CrlKind kind, const std::string& path) {
  if (path.empty()) return {};
  std::uint64_t published = 0;
  // Once more after writing: another process may have put a newer CRL there just before.
  while (true) {
    ASSIGN_OR_RETURN(const auto newest, read_newest_crl(reader.connection(), kind));
    if (!newest || newest->first == published) return {};
    const Bytes contents = file_contents(path, newest->second);
    ASSIGN_OR_RETURN(const auto present, read_if_there(path, kMaxCrlFile));
    if (present) TRY(check_not_newer(*present, *newest, path));
    if (!present || *present != contents) {
      TRY(put_in_place(path, contents));
    }
    published = newest->first;
  }
}

}  // namespace

Result<CertificateList> issue_crl(Ledger& ledger, const Issuer& issuer, const CrlSettings& settings,
                                  const CrlTime& time) {
  const auto now = whole_seconds(time);
  Bytes der;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(der, make_crl(writer, issuer, settings, now));
    return {};
  }));
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  TRY(publish_newest_crl(*reader, settings));
  return CertificateList::from_der(der);
}

Result<CertificateList> issue_delta_crl(Ledger& ledger, const Issuer& issuer,
                                        const CrlSettings& settings, const CrlTime& time) {
  const auto now = whole_seconds(time);
  std::optional<Bytes> der;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(der, make_delta(writer, issuer, settings, now));
    return {};
  }));
  if (!der) return issue_crl(ledger, issuer, settings, time);
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  TRY(publish_newest_crl(*reader, settings));
  return CertificateList::from_der(*der);
}

Result<CrlDue> crl_due(LedgerReader& reader, const Issuer& issuer, const CrlSettings& settings,
                       const CrlTime& now) {
  ASSIGN_OR_RETURN(const auto highest,
                   highest_number_that_left(reader.connection(), issuer, places_of(settings)));
  ASSIGN_OR_RETURN(const auto own, newest_crl_number(reader.connection()));
  ASSIGN_OR_RETURN(const auto newest, reader.newest_crl());
  if (!newest || highest > own) return CrlDue::complete;
  ASSIGN_OR_RETURN(const auto crl, CertificateList::from_der(newest->second));
  if (!crl.nextUpdate || *crl.nextUpdate - now.likely < settings.lifetime / 2)
    return CrlDue::complete;
  // After a change of the CA key: who trusts the new one only believes no list of the former.
  ASSIGN_OR_RETURN(const bool by_present_key, is_signed_by(crl, issuer));
  if (!by_present_key) return CrlDue::complete;
  // Made while the clock was wrong: nobody believes it before that time has come.
  if (crl.thisUpdate > now.likely + kCrlSlack) return CrlDue::complete;
  ASSIGN_OR_RETURN(const auto revoked, reader.revoked(crl.thisUpdate - settings.lifetime));
  if (settings.delta == Duration::zero()) {
    const bool covers = summary(crl.revokedCertificates) == summary(revoked);
    return covers ? CrlDue::none : CrlDue::complete;
  }
  ASSIGN_OR_RETURN(const bool due, delta_is_due(reader, crl, revoked, settings, now.likely));
  return due ? CrlDue::delta : CrlDue::none;
}

Result<void> publish_newest_crl(LedgerReader& reader, const CrlSettings& settings) {
  TRY(publish(reader, CrlKind::complete, settings.publish));
  return publish(reader, CrlKind::delta, settings.publish_delta);
}

}  // namespace cmpost
