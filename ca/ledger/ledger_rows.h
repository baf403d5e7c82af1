// Rows of the ledger as values: what reading and writing share.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ca/ledger/certificate_record.h"
#include "crypto/x509/certificate_builder.h"
#include "store/rows.h"

namespace cmpost {

// The columns in the order that read_record() takes them.
#define CMPOST_RECORD_COLUMNS                                                              \
  "id, serial, der, subject, profile, channel, requester, tid, issued, not_after, state, " \
  "revoked_at, reason, invalidity_date, holder, held_from"
Result<CertificateRecord> read_record(Row& row);

// The largest id, 0 in an empty ledger.
Result<std::int64_t> last_certificate_id(Connection& connection);
// Held and revoked certificates whose notAfter is not before the given time, oldest first; before
// them what is carried (LedgerWriter::carry()).
Result<std::vector<RevokedCertificate>> read_revoked(Connection& connection,
                                                     Time not_expired_before);
using NumberedCrl = std::pair<std::uint64_t, Bytes>;
enum class CrlKind { complete, delta };
Result<std::optional<NumberedCrl>> read_newest_crl(Connection& connection,
                                                   CrlKind kind = CrlKind::complete);
// The number of the newest of either kind that the ledger has, 0 for none.
Result<std::uint64_t> newest_crl_number(Connection& connection);
// The highest that the ledger knows to have left: of its own, and what LedgerWriter::keep_above()
// was told.
Result<std::uint64_t> last_crl_number(Connection& connection);

}  // namespace cmpost
