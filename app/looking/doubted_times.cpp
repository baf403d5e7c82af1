#include "app/looking/doubted_times.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/watched_clock.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// The service looks twice a minute: so long it may have issued before it noticed.
constexpr auto kBeforeNotice = 1min;

Result<std::vector<AuditRecord>> records(LedgerReader& reader, const ListFilter& filter) {
  std::vector<AuditRecord> some;
  TRY(reader.for_each_audit(filter, [&](const AuditRecord& record) -> Result<void> {
    some.push_back(record);
    return {};
  }));
  return some;
}

// The number of the record that ended the doubt of `begin`.
Result<std::optional<std::int64_t>> end_of(LedgerReader& reader, std::int64_t begin) {
  std::optional<std::int64_t> end;
  for (const char* event : {"clock.accepted", "clock.confirmed", "clock.doubted"}) {
    ListFilter next;
    next.event = event;
    next.after_row = begin;
    next.limit = 1;
    ASSIGN_OR_RETURN(const auto found, records(reader, next));
    if (!found.empty()) end = std::min(end.value_or(found.front().id), found.front().id);
  }
  return end;
}

std::string doubt_of(const AuditRecord& record) {
  const auto detail = nlohmann::json::parse(record.detail, nullptr, false);
  return detail.is_object() ? detail.value("why", std::string()) : std::string();
}

Result<DoubtedTime> measure(LedgerReader& reader, const AuditRecord& begin) {
  DoubtedTime time{
      doubt_of(begin), std::chrono::floor<std::chrono::seconds>(begin.time), {}, 0, {}};
  time.since -= kBeforeNotice;
  ASSIGN_OR_RETURN(const auto end, end_of(reader, begin.id));
  if (end) {
    // The last record that was written by the clock in doubt; the next one's time may be another.
    ASSIGN_OR_RETURN(const auto last, reader.audit(*end - 2, 1));
    if (last.empty()) return hold("audit record " + std::to_string(*end - 1) + " is missing");
    time.until = std::chrono::ceil<std::chrono::seconds>(last.front().time) + 1s;
  }
  ListFilter issued;
  issued.since = time.since;
  issued.until = time.until;
  issued.limit = 0;
  ASSIGN_OR_RETURN(time.certificates, reader.for_each(issued, [](const CertificateRecord&) {
    return Result<void>();
  }));
  time.command = "cmpost cert list --since " + to_iso8601(time.since) +
                 (time.until ? " --until " + to_iso8601(*time.until) : "");
  return time;
}

}  // namespace

Result<DoubtedTimes> find_doubted_times(LedgerReader& reader, std::size_t limit) {
  ListFilter newest;
  newest.event = "clock.doubted";
  newest.newest = true;
  ASSIGN_OR_RETURN(const auto begins, records(reader, newest));
  DoubtedTimes times;
  for (const auto& begin : begins) {
    const auto doubt = doubt_of(begin);
    if (doubt != to_string(ClockDoubt::ahead) && doubt != to_string(ClockDoubt::behind)) continue;
    if (times.newest.size() == limit) {
      ++times.more;
      continue;
    }
    ASSIGN_OR_RETURN(auto time, measure(reader, begin));
    times.newest.push_back(std::move(time));
  }
  return times;
}

}  // namespace cmpost
