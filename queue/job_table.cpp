#include "queue/job_table.h"

#include "queue/job_row.h"
#include "queue/spool_schema.h"

namespace cmpost {
namespace {

// Of payloads in memory at a time; a single job may be larger.
constexpr std::size_t kMostOctets = 32 << 20;

}  // namespace

Result<Statement*> JobTable::statement(std::string_view sql) {
  return connection_.statement(for_table(sql, name_));
}

// A number of our own, since SQLite would give that of a deleted job again.
Result<std::int64_t> JobTable::next_seq() {
  ASSIGN_OR_RETURN(auto* const query, statement("SELECT next FROM queue WHERE name = '$'"));
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto next = query->integer(0);
  query->reset();
  return next;
}

Result<void> JobTable::set_counts(std::int64_t next, std::int64_t more_jobs) {
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE queue SET next = ?, jobs = jobs + ? WHERE name = '$'"));
  update->bind(1, next);
  update->bind(2, more_jobs);
  TRY(update->execute());
  return {};
}

Result<std::size_t> JobTable::insert(std::span<const Job* const> jobs, Time now,
                                     const Start& start) {
  TRY(ids_.refresh());
  TRY(ids_.settle(IdIndex::When::many));
  ASSIGN_OR_RETURN(const auto first, next_seq());
  ASSIGN_OR_RETURN(auto* const row,
                   statement("INSERT INTO $(seq, id, arrived, size, state, attempts, reason,"
                             " " CMPOST_ENVELOPE_COLUMNS
                             ") VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  ASSIGN_OR_RETURN(auto* const payload, statement("INSERT INTO $_payload VALUES (?, ?)"));
  auto next = first;
  for (const auto* job : jobs) {
    ASSIGN_OR_RETURN(const auto known, ids_.find(job->id));
    if (known) continue;
    row->bind(1, next);
    row->bind(2, ByteView(job->id.octets));
    row->bind(3, to_unix_micros(now));
    row->bind(4, static_cast<std::int64_t>(job->payload.size()));
    row->bind(5, to_string(start.state));
    row->bind(6, start.reason);
    bind_envelope(*row, 7, job->envelope);
    TRY(row->execute());
    payload->bind(1, next);
    payload->bind(2, job->payload);
    TRY(payload->execute());
    ids_.add(job->id, next++);
  }
  if (next != first) TRY(set_counts(next, next - first));
  return static_cast<std::size_t>(next - first);
}

Result<void> JobTable::wake(const Moment& now) {
  const auto longest = to_unix_micros(now.steady + now.lease);
  ASSIGN_OR_RETURN(auto* const cut, statement("UPDATE $ SET at = ?1 WHERE seq IN"
                                              " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS"
                                              " NULL AND state = 'active' AND at > ?1)"));
  cut->bind(1, longest);
  TRY(cut->execute());
  // At most so many at a time: after a week without a network all of them are due at once.
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
                             " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                             " AND state = ? AND at <= ? ORDER BY at LIMIT 10000)"));
  for (const auto& [state, time] :
       {std::pair(JobState::deferred, now.wall), std::pair(JobState::active, now.steady)}) {
    update->bind(1, to_string(state));
    update->bind(2, to_unix_micros(time));
    TRY(update->execute());
  }
  return {};
}

Result<std::int64_t> JobTable::hasten(Time now) {
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE $ SET at = ?1 WHERE seq IN"
                             " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                             " AND state = 'deferred' AND at > ?1)"));
  update->bind(1, to_unix_micros(now));
  return update->execute();
}

Result<std::optional<Time>> JobTable::one_time(std::string_view sql) {
  ASSIGN_OR_RETURN(auto* const query, statement(sql));
  ASSIGN_OR_RETURN(const bool row, query->step());
  const auto time = row && !query->is_null(0) ? std::optional(time_of(*query, 0)) : std::nullopt;
  query->reset();
  return time;
}

Result<std::optional<Time>> JobTable::newest_arrival() {
  return one_time("SELECT arrived FROM $ ORDER BY seq DESC LIMIT 1");
}

Result<std::optional<Time>> JobTable::last_due() {
  return one_time(
      "SELECT max(at) FROM $ INDEXED BY $_open WHERE ended IS NULL AND state = 'deferred'");
}

Result<std::size_t> JobTable::wake(std::string_view reply_channel) {
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
                             " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                             " AND state = 'deferred' AND reply_channel = ?)"));
  update->bind(1, reply_channel);
  ASSIGN_OR_RETURN(const auto woken, update->execute());
  return static_cast<std::size_t>(woken);
}

Result<std::int64_t> JobTable::take_back(std::int64_t owner) {
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
                             " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                             " AND state = 'active' AND owner = ?)"));
  update->bind(1, owner);
  return update->execute();
}

Result<std::vector<Lease>> JobTable::waiting(std::size_t max, Run& found) {
  ASSIGN_OR_RETURN(auto* const query,
                   statement("SELECT seq, id, attempts, arrived, octets, " CMPOST_ENVELOPE_COLUMNS
                             " FROM $ INDEXED BY $_open CROSS JOIN $_payload USING (seq)"
                             " WHERE ended IS NULL AND state = 'waiting' AND at IS NULL"
                             " ORDER BY seq LIMIT ?"));
  query->bind(1, static_cast<std::int64_t>(max));
  std::vector<Lease> leases;
  for (std::size_t octets = 0; octets < kMostOctets;) {
    ASSIGN_OR_RETURN(const bool row, query->step());
    if (!row) break;
    auto& lease = leases.emplace_back();
    lease.job = {id_of(*query, 1), envelope_of(*query, 5), to_bytes(query->blob(4))};
    lease.attempts = static_cast<int>(query->integer(2)) + 1;
    lease.arrived = time_of(*query, 3);
    found.last = query->integer(0);
    if (leases.size() == 1) found.first = found.last;
    octets += lease.job.payload.size();
  }
  query->reset();
  return leases;
}

Result<std::vector<Lease>> JobTable::lease(std::size_t max, std::int64_t owner, Time until) {
  Run run{0, -1};
  ASSIGN_OR_RETURN(auto leases, waiting(max, run));
  if (leases.empty()) return leases;
  // Being the oldest, they are all that wait in this range.
  ASSIGN_OR_RETURN(auto* const update,
                   statement("UPDATE $ INDEXED BY $_open SET state = 'active',"
                             " attempts = attempts + 1, owner = ?, at = ?"
                             " WHERE ended IS NULL AND state = 'waiting' AND at IS NULL"
                             " AND seq BETWEEN ? AND ?"));
  update->bind(1, owner);
  update->bind(2, to_unix_micros(until));
  update->bind(3, run.first);
  update->bind(4, run.last);
  ASSIGN_OR_RETURN(const auto changed, update->execute());
  CHECK(changed == static_cast<std::int64_t>(leases.size()));
  return leases;
}

Result<bool> JobTable::has_work(const Moment& now) {
  ASSIGN_OR_RETURN(
      auto* const query,
      statement("SELECT EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'waiting')"
                " OR EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'deferred'"
                "   AND at <= ?1)"
                " OR EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'active'"
                "   AND (at <= ?2 OR at > ?3))"));
  query->bind(1, to_unix_micros(now.wall));
  query->bind(2, to_unix_micros(now.steady));
  query->bind(3, to_unix_micros(now.steady + now.lease));
  ASSIGN_OR_RETURN(const bool row, query->step());
  const bool work = row && query->integer(0) != 0;
  query->reset();
  return work;
}

Result<JobTable::Events> JobTable::next_events() {
  ASSIGN_OR_RETURN(
      auto* const query,
      statement("SELECT (SELECT min(at) FROM $ WHERE ended IS NULL AND state = 'deferred'),"
                " (SELECT min(at) FROM $ WHERE ended IS NULL AND state = 'active')"));
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto next = [&](int column) {
    return query->is_null(column) ? std::nullopt : std::optional(time_of(*query, column));
  };
  const Events events{next(0), next(1)};
  query->reset();
  return events;
}

}  // namespace cmpost
