#include "ca/crl_publisher.h"

#include <string_view>

#include "base/files.h"
#include "ca/ledger_rows.h"

namespace cmpost {
namespace {

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
  return "{\"number\":" + std::to_string(tbs.crlNumber) +
         ",\"entries\":" + std::to_string(tbs.revokedCertificates.size()) + ",\"nextUpdate\":\"" +
         to_iso8601(tbs.nextUpdate) + "\",\"sha256\":\"" + to_hex(sha256(der)) + "\"}";
}

// RFC 5280 3.3: "An entry MUST NOT be removed from the CRL until it appears on one regularly
// scheduled CRL issued beyond the revoked certificate's validity period." A CRL is made at least
// once in its lifetime, so an entry that stays this much longer has been on one.
Time oldest_not_after(Time now, const CrlSettings& settings) { return now - settings.lifetime; }

// Everything that the CRL says is read inside the transaction that stores it: no other process can
// take its number or revoke something meanwhile.
Result<Bytes> make_crl(LedgerWriter& writer, const Issuer& issuer, const CrlSettings& settings,
                       Time now) {
  ASSIGN_OR_RETURN(const auto newest, read_newest_crl(writer.connection()));
  TBSCertList tbs;
  tbs.crlNumber = newest ? newest->first + 1 : 1;
  tbs.thisUpdate = now;
  tbs.nextUpdate = now + settings.lifetime;
  ASSIGN_OR_RETURN(tbs.revokedCertificates,
                   read_revoked(writer.connection(), oldest_not_after(now, settings)));
  ASSIGN_OR_RETURN(Bytes der, issuer.sign_crl(tbs));
  TRY(writer.add_crl(tbs.crlNumber, der, tbs.thisUpdate, tbs.nextUpdate));
  TRY(writer.audit("crl.issued", audit_detail(tbs, der)));
  return der;
}

}  // namespace

Result<CertificateList> issue_crl(Ledger& ledger, const Issuer& issuer, const CrlSettings& settings,
                                  const Clock& clock) {
  const Time now = std::chrono::floor<std::chrono::seconds>(clock.now());
  Bytes der;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    ASSIGN_OR_RETURN(der, make_crl(writer, issuer, settings, now));
    return {};
  }));
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  TRY(publish_newest_crl(*reader, settings));
  return CertificateList::from_der(der);
}

Result<void> publish_newest_crl(LedgerReader& reader, const CrlSettings& settings) {
  if (settings.publish.empty()) return {};
  std::uint64_t published = 0;
  // Once more after writing: another process may have put a newer CRL there just before.
  while (true) {
    ASSIGN_OR_RETURN(const auto newest, reader.newest_crl());
    if (!newest || newest->first == published) return {};
    const Bytes contents = file_contents(settings.publish, newest->second);
    const auto present = read_file(settings.publish, contents.size());
    if (!present || *present != contents) {
      TRY(write_file(settings.publish, contents, 0644, IfExists::replace));
    }
    published = newest->first;
  }
}

}  // namespace cmpost
