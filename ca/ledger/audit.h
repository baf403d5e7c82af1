// The audit chain: each record's hash covers the record and, by way of the previous hash, all
// records before it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

struct AuditRecord {
  std::int64_t id = 0;  // from 1, no gaps
  Time time{};
  std::string event;
  std::string detail;  // JSON
  Bytes hash;
};

// The newest record's number and hash. Kept somewhere else (printed in a report, say) it shows
// later whether the end of the chain was cut off, which the chain itself cannot.
struct AuditHead {
  std::int64_t id = 0;  // 0: no record yet
  Sha256 hash{};        // zeros before the first record
};

// SHA-256 over: the previous hash, the time (microseconds since 1970, eight octets, big-endian),
// the length of `event` (four octets, big-endian), `event`, `detail`. The length keeps the border
// between event and detail from moving.
Sha256 audit_hash(const Sha256& previous, Time time, std::string_view event,
                  std::string_view detail);

Result<AuditHead> audit_head(Connection& connection);
// Records with a larger id, ascending.
Result<std::vector<AuditRecord>> audit_records(Connection& connection, std::int64_t after_id,
                                               std::size_t limit);
// The same one by one; how many match, whatever limit and offset say.
Result<std::int64_t> for_each_audit(Connection& connection, const ListFilter& filter,
                                    const std::function<Result<void>(const AuditRecord&)>& each);
// Inside a write transaction only: appends behind `head`, the newest record, and returns the new
// one.
Result<AuditHead> append_audit(Connection& connection, const AuditHead& head, Time time,
                               std::string_view event, std::string_view detail);
// The number of the first record that does not fit, or nullopt. Reads some records at a time.
Result<std::optional<std::int64_t>> verify_audit(Connection& connection);

}  // namespace cmpost
