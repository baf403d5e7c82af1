#include "ca/published_crl.h"

#include <algorithm>

#include "base/presence.h"
#include "ca/ledger/ledger_rows.h"
#include "store/rows.h"

namespace cmpost {
namespace {

// The CRL in the file as far as it says that it is this issuer's.
Result<std::optional<CertificateList>> read_named(const std::string& path, const Issuer& issuer) {
  if (path.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kMaxCrlFile));
  if (!contents) return std::nullopt;
  auto list = CertificateList::from_file(*contents);
  // Anything else that lies there is no CRL of ours, and will be replaced by one.
  if (!list || !list->issuer.same(issuer.certificate().subject())) return std::nullopt;
  return std::move(*list);
}

Result<bool> is_carried(Connection& ledger, ByteView serial) {
  return any(ledger, "SELECT 1 FROM carried_revocation WHERE serial = ?", serial);
}

bool is_known(const std::optional<CertificateState>& state, const RevokedCertificate& entry,
              bool is_news) {
  if (entry.reason == CRLReason::removeFromCRL) return true;
  if (entry.reason != CRLReason::certificateHold) return state == CertificateState::revoked;
  if (!is_news) return state.has_value();  // a hold may have ended since
  return state == CertificateState::held || state == CertificateState::revoked;
}

Result<std::optional<CertificateState>> state_of(Connection& ledger, ByteView serial) {
  const auto read = [](Row& row) { return certificate_state(row.next<std::string_view>()); };
  ASSIGN_OR_RETURN(const auto state,
                   one(ledger, "SELECT state FROM certificate WHERE serial = ?", read, serial));
  return state.value_or(std::nullopt);
}

std::string in_words(const CertificateList& list, const std::string& path) {
  return "the CRL number " + std::to_string(list.crlNumber.value_or(0)) + " in " + path;
}

}  // namespace

Result<bool> is_signed_by(const CertificateList& list, const Issuer& issuer) {
  ASSIGN_OR_RETURN(const auto key, issuer.certificate().public_key());
  const auto verdict = verify(key, list.signatureAlgorithm, list.tbs, list.signature);
  return verdict && *verdict == Verdict::good;
}

Result<std::optional<CertificateList>> read_published_crl(const std::string& path,
                                                          const Issuer& issuer) {
  ASSIGN_OR_RETURN(auto list, read_named(path, issuer));
  if (!list) return std::nullopt;
  ASSIGN_OR_RETURN(const bool own, is_signed_by(*list, issuer));
  if (!own) return std::nullopt;
  return list;
}

Result<std::vector<RevokedCertificate>> missing_revocations(Connection& ledger,
                                                            const CertificateList& published) {
  ASSIGN_OR_RETURN(const auto last, last_crl_number(ledger));
  const bool is_news = published.crlNumber.value_or(0) > last;
  std::vector<RevokedCertificate> missing;
  for (const auto& entry : published.revokedCertificates) {
    ASSIGN_OR_RETURN(const auto state, state_of(ledger, entry.userCertificate));
    if (is_known(state, entry, is_news)) continue;
    ASSIGN_OR_RETURN(const bool carried, is_carried(ledger, entry.userCertificate));
    if (!carried) missing.push_back(entry);
  }
  return missing;
}

Result<LeftCrls> find_left_crls(Connection& ledger, const Issuer& issuer,
                                const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(const std::uint64_t known, last_crl_number(ledger));
  LeftCrls left{known, std::nullopt};
  for (const auto& path : paths) {
    ASSIGN_OR_RETURN(const auto list, read_named(path, issuer));
    if (!list) continue;
    const auto number = list->crlNumber.value_or(0);
    ASSIGN_OR_RETURN(const bool own, is_signed_by(*list, issuer));
    if (!own && number <= known) continue;  // of the key before a roll-over
    if (!own) {
      left.ahead = Error{Recovery::hold,
                         in_words(*list, path) + " is newer than the ledger, and of another key",
                         "was the ledger or the CA key restored? See docs/operations.md, "
                         "\"Restore\""};
      return left;
    }
    ASSIGN_OR_RETURN(const auto missing, missing_revocations(ledger, *list));
    if (!missing.empty()) {
      left.ahead = Error{Recovery::hold,
                         in_words(*list, path) + " revokes " + std::to_string(missing.size()) +
                             " certificates that the ledger does not know as revoked, such as " +
                             to_hex(missing.front().userCertificate),
                         "the ledger is older than what has left: `cmpost restore-check` tells "
                         "what is missing, and brings it back"};
      return left;
    }
    left.highest = std::max(left.highest, number);
  }
  return left;
}

Result<std::uint64_t> highest_number_that_left(Connection& ledger, const Issuer& issuer,
                                               const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(auto left, find_left_crls(ledger, issuer, paths));
  if (left.ahead) return failure(std::move(*left.ahead));
  return left.highest;
}

}  // namespace cmpost
