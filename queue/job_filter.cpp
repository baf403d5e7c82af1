#include <algorithm>

#include "queue/job_queue.h"

namespace cmpost {

Result<JobFilter> job_filter(const ListFilter& filter) {
  JobFilter wanted{.limit = filter.limit,
                   .newest_first = filter.newest,
                   .offset = filter.offset,
                   .since = filter.since,
                   .until = filter.until,
                   .source = filter.source,
                   .reason = filter.reason};
  if (!filter.channel.empty()) wanted.channel = filter.channel;
  if (!filter.state.empty()) {
    wanted.state = job_state(filter.state);
    if (!wanted.state) return hold("jobs have no state \"" + printable(filter.state) + "\"");
  }
  if (!filter.sort.empty()) {
    const auto* const found = std::ranges::find(kJobSorts, filter.sort);
    if (found == kJobSorts.end()) {
      return hold("jobs cannot be sorted by \"" + printable(filter.sort) + "\"");
    }
    wanted.sort = static_cast<JobSort>(found - kJobSorts.begin());
  }
  return wanted;
}

}  // namespace cmpost
