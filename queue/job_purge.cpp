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
  std::vector<IdIndex::Entry> old;
  std::int64_t looked = 0;
  const auto look = [&](Row& row) {
    const auto seq = row.next<std::int64_t>();
    const auto id = next_id(row);
    const auto [arrived, is_old] = columns<Time, bool>(row);
    if (arrived >= before) return false;
    from = seq;
    if (is_old) old.push_back({id, seq});
    ++looked;
    return true;
  };
  TRY(each(connection_,
           sql("SELECT seq, id, arrived, state = 'done' AND ended < ?1 FROM $"
               " WHERE seq > ?2 ORDER BY seq LIMIT ?3"),
           look, before, from, kLookedAtOnce));
  if (!old.empty()) TRY(erase(old));
  return Purged{old.size(), looked == kLookedAtOnce ? std::optional(from) : std::nullopt};
}

Result<void> JobTable::erase(const std::vector<IdIndex::Entry>& jobs) {
  TRY(ids_.refresh());
  if (jobs.back().seq > ids_.settled()) TRY(ids_.settle(IdIndex::When::always));
  TRY(ids_.remove(jobs));
  for (const auto* text : {"DELETE FROM $_payload WHERE seq = ?", "DELETE FROM $ WHERE seq = ?"}) {
    const auto erase = sql(text);
    for (const auto& job : jobs) TRY(change(connection_, erase, job.seq));
  }
  ASSIGN_OR_RETURN(const auto next, next_seq());
  return set_counts(next, -static_cast<std::int64_t>(jobs.size()));
}

}  // namespace cmpost
