// Forgets old jobs.
#include <algorithm>

#include "queue/job_row.h"
#include "queue/job_table.h"

namespace cmpost {
namespace {

constexpr std::int64_t kLookedAtOnce = 5000;

}  // namespace

// Jobs lie in the order of their arrival, and none ends before it arrived: what arrived at
// `before` or later ends the search, so that it needs no index. (After the clock was set back
// this may leave some for a later purge.)
Result<JobTable::Purged> JobTable::purge(Time before, std::int64_t from) {
  ASSIGN_OR_RETURN(auto* const query,
                   statement("SELECT seq, id, arrived, state = 'done' AND ended < ?1 FROM $"
                             " WHERE seq > ?2 ORDER BY seq LIMIT ?3"));
  query->bind(1, to_unix_micros(before));
  query->bind(2, from);
  query->bind(3, kLookedAtOnce);
  std::vector<IdIndex::Entry> old;
  std::int64_t looked = 0;
  for (;; ++looked) {
    ASSIGN_OR_RETURN(const bool row, query->step());
    if (!row || time_of(*query, 2) >= before) break;
    from = query->integer(0);
    if (query->integer(3) != 0) old.push_back({id_of(*query, 1), from});
  }
  query->reset();
  if (!old.empty()) TRY(erase(old));
  return Purged{old.size(), looked == kLookedAtOnce ? std::optional(from) : std::nullopt};
}

Result<void> JobTable::erase(const std::vector<IdIndex::Entry>& jobs) {
  TRY(ids_.refresh());
  if (jobs.back().seq > ids_.settled()) TRY(ids_.settle(IdIndex::When::always));
  TRY(ids_.remove(jobs));
  for (const auto* sql : {"DELETE FROM $_payload WHERE seq = ?", "DELETE FROM $ WHERE seq = ?"}) {
    ASSIGN_OR_RETURN(auto* const erase, statement(sql));
    for (const auto& job : jobs) {
      erase->bind(1, job.seq);
      TRY(erase->execute());
    }
  }
  ASSIGN_OR_RETURN(const auto next, next_seq());
  return set_counts(next, -static_cast<std::int64_t>(jobs.size()));
}

}  // namespace cmpost
