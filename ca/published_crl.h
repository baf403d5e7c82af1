// What has left the house already: the CRL in the file that relying parties read. A ledger that was
// restored from a backup knows less than that file, and must neither use a number again (RFC 5280
// 5.2.3) nor take a revocation back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/issuer.h"
#include "crypto/x509/certificate_builder.h"
#include "store/connection.h"

namespace cmpost {

// Octets of a CRL file, at most.
inline constexpr std::size_t kMaxCrlFile = std::size_t{1} << 30U;

// The CRL in the file at `path` where it is one of this issuer, signed by its present key; nullopt
// when there is no file, or something else lies there. An Error when it is there and cannot be
// read.
Result<std::optional<CertificateList>> read_published_crl(const std::string& path,
                                                          const Issuer& issuer);

// Whether the issuer's present key has signed it.
Result<bool> is_signed_by(const CertificateList& list, const Issuer& issuer);

// Entries of `published` that the ledger lacks: a certificate that it does not know, or does not
// know as revoked (as held, where the reason is certificateHold and `published` is newer than the
// newest CRL of the ledger; an older hold may have ended since).
Result<std::vector<RevokedCertificate>> missing_revocations(Connection& ledger,
                                                            const CertificateList& published);

// What the files at `paths` and the ledger say of CRLs that have left. An Error: it cannot be found
// out.
struct LeftCrls {
  std::uint64_t highest = 0;  // cRLNumber
  // Why no CRL may be made: revocations are missing, or the file with a higher number is of a key
  // that this issuer no longer has.
  std::optional<Error> ahead;
};
Result<LeftCrls> find_left_crls(Connection& ledger, const Issuer& issuer,
                                const std::vector<std::string>& paths);

// Before a CRL is made: the number that the next one must be above. An Error
// when it cannot be found out, and LeftCrls::ahead.
Result<std::uint64_t> highest_number_that_left(Connection& ledger, const Issuer& issuer,
                                               const std::vector<std::string>& paths);

}  // namespace cmpost
