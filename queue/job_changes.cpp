// What ends a lease, and what people do to a job.
#include <algorithm>

#include "queue/job_table.h"
#include "store/rows.h"

namespace cmpost {

Result<std::optional<std::int64_t>> JobTable::seq_of(const JobId& id) {
  TRY(ids_.refresh());
  return ids_.find(id);
}

// A group that was leased together has consecutive numbers, so that one statement can end it.
Result<std::vector<JobTable::Run>> JobTable::runs_of(std::span<const JobId> ids) {
  TRY(ids_.refresh());
  std::vector<std::int64_t> numbers;
  for (const auto& id : ids) {
    ASSIGN_OR_RETURN(const auto seq, ids_.find(id));
    if (seq) numbers.push_back(*seq);
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<Run> runs;
  for (const auto seq : numbers) {
    if (!runs.empty() && seq <= runs.back().last + 1) {
      runs.back().last = seq;
    } else {
      runs.push_back({seq, seq});
    }
  }
  return runs;
}

Result<void> JobTable::finish(Run run, std::string_view reason, Time now) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ NOT INDEXED SET state = 'done', owner = NULL, at = NULL,"
                              " reason = ?, ended = ? WHERE seq BETWEEN ? AND ?"
                              " AND state = 'active'"),
                          reason, now, run.first, run.last));
  // A run in which somebody has held or dropped a job keeps its octets until they are purged.
  const bool all = changed == run.last - run.first + 1;
  if (finished_ == Finished::keep_payload || !all) return {};
  TRY(change(connection_, sql("DELETE FROM $_payload WHERE seq BETWEEN ? AND ?"), run.first,
             run.last));
  return {};
}

Result<void> JobTable::finish(std::span<const JobId> ids, std::string_view reason, Time now) {
  ASSIGN_OR_RETURN(const auto runs, runs_of(ids));
  for (const auto& run : runs) TRY(finish(run, reason, now));
  return {};
}

Result<bool> JobTable::defer(const JobId& id, Time due, std::string_view reason) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ SET state = 'deferred', owner = NULL, at = ?,"
                              " reason = ? WHERE seq = ? AND state = 'active'"),
                          due, reason, *seq));
  return changed == 1;
}

Result<bool> JobTable::hold(const JobId& id, std::string_view reason) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ SET state = 'held', owner = NULL, at = NULL,"
                              " reason = ? WHERE seq = ? AND state <> 'done'"),
                          reason, *seq));
  return changed == 1;
}

Result<bool> JobTable::bounce(const JobId& id, std::string_view reason) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ SET state = 'held', ended = NULL, at = NULL,"
                              " reason = ? WHERE seq = ? AND state = 'done'"
                              " AND EXISTS (SELECT 1 FROM $_payload AS p WHERE p.seq = $.seq)"),
                          reason, *seq));
  return changed == 1;
}

Result<bool> JobTable::retry(const JobId& id) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             sql("UPDATE $ SET state = 'waiting', at = NULL, attempts = 0, reason = '',"
                 " released = released + (state = 'held') WHERE seq = ? AND state IN ('deferred', "
                 "'held')"),
             *seq));
  return changed == 1;
}

Result<bool> JobTable::release(const JobId& id) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ SET state = 'waiting', attempts = 0, reason = '',"
                              " released = released + 1 WHERE seq = ? AND state = 'held'"),
                          *seq));
  return changed == 1;
}

Result<bool> JobTable::drop(const JobId& id, std::string_view reason, Time now) {
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return false;
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             sql("UPDATE $ SET state = 'done', owner = 0, at = NULL, reason = ?, ended = ?"
                 " WHERE seq = ? AND state IN ('waiting', 'deferred', 'held')"),
             reason, now, *seq));
  return changed == 1;
}

}  // namespace cmpost
