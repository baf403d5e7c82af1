#include "queue/job_table.h"

#include "queue/job_row.h"

namespace cmpost {
namespace {

// Of payloads in memory at a time; a single job may be larger.
constexpr std::size_t kMostOctets = 32 << 20;

// Reads rows of `seq, id, attempts, arrived, released, octets` and the envelope, until they are too
// much for memory.
class LeaseReader {
 public:
  bool take(Row& row) {
    auto& lease = leases_.emplace_back();
    row.into(seqs_.emplace_back());
    lease.job.id = next_id(row);
    lease.attempts = row.next<int>() + 1;
    row.into(lease.arrived, lease.releases, lease.job.payload);
    lease.job.envelope = next_envelope(row);
    octets_ += lease.job.payload.size();
    return octets_ < kMostOctets;
  }
  const std::vector<std::int64_t>& seqs() const { return seqs_; }
  std::vector<Lease> leases() && { return std::move(leases_); }

 private:
  std::vector<Lease> leases_;
  std::vector<std::int64_t> seqs_;
  std::size_t octets_ = 0;
};

}  // namespace

JobTable::JobTable(Connection& connection, std::string name, Finished finished,
                   const ChannelScope& scope, const std::string& channel_column)
    : connection_(connection),
      name_(std::move(name)),
      finished_(finished),
      ids_(connection, name_) {
  if (scope.which == ChannelScope::Which::all) return;
  channels_ = scope.channels;
  in_scope_ = " AND " + channel_column;
  in_scope_ += scope.which == ChannelScope::Which::only ? " IN (" : " NOT IN (";
  for (std::size_t i = 0; i < channels_.size(); ++i) in_scope_ += i == 0 ? "?" : ", ?";
  in_scope_ += ")";
}

std::string JobTable::sql(std::string_view text) const {
  auto sql = for_table(text, name_);
  for (auto at = sql.find('@'); at != std::string::npos; at = sql.find('@', at)) {
    sql.replace(at, 1, in_scope_);
  }
  return sql;
}

// A number of our own, since SQLite would give that of a deleted job again.
Result<std::int64_t> JobTable::next_seq() {
  return only(connection_, sql("SELECT next FROM queue WHERE name = '$'"), column<std::int64_t>);
}

Result<void> JobTable::set_counts(std::int64_t next, std::int64_t more_jobs) {
  TRY(change(connection_, sql("UPDATE queue SET next = ?, jobs = jobs + ? WHERE name = '$'"), next,
             more_jobs));
  return {};
}

Result<std::size_t> JobTable::insert(std::span<const Job* const> jobs, Time now,
                                     const Start& start) {
  TRY(ids_.refresh());
  TRY(ids_.settle(IdIndex::When::many));
  ASSIGN_OR_RETURN(const auto first, next_seq());
  const auto row =
      sql("INSERT INTO $(seq, id, arrived, size, state, attempts, reason, " CMPOST_ENVELOPE_COLUMNS
          ") VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const auto payload = sql("INSERT INTO $_payload VALUES (?, ?)");
  auto next = first;
  for (const auto* job : jobs) {
    ASSIGN_OR_RETURN(const auto known, ids_.find(job->id));
    if (known) continue;
    TRY(change(connection_, row, next, job->id.octets, now, job->payload.size(),
               to_string(start.state), start.reason, columns_of(job->envelope)));
    TRY(change(connection_, payload, next, job->payload));
    ids_.add(job->id, next++);
  }
  if (next != first) TRY(set_counts(next, next - first));
  return static_cast<std::size_t>(next - first);
}

Result<void> JobTable::wake(const Moment& now) {
  TRY(change(connection_,
             sql("UPDATE $ SET at = ?1 WHERE seq IN (SELECT seq FROM $ INDEXED BY $_open WHERE "
                 "ended IS NULL AND state = 'active' AND at > ?1)"),
             now.steady + now.lease));
  // At most so many at a time: after a week without a network all of them are due at once.
  const auto update =
      sql("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
          " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
          " AND state = ? AND at <= ? ORDER BY at LIMIT 10000)");
  TRY(change(connection_, update, to_string(JobState::deferred), now.wall));
  TRY(change(connection_, update, to_string(JobState::active), now.steady));
  return {};
}

Result<std::int64_t> JobTable::hasten(Time now) {
  return change(connection_,
                sql("UPDATE $ SET at = ?1 WHERE seq IN (SELECT seq FROM $ INDEXED BY $_open WHERE "
                    "ended IS NULL AND state = 'deferred' AND at > ?1)"),
                now);
}

Result<std::optional<Time>> JobTable::newest_arrival() {
  return one(connection_, sql("SELECT arrived FROM $ ORDER BY seq DESC LIMIT 1"), column<Time>);
}

Result<std::optional<Time>> JobTable::last_due() {
  return only(
      connection_,
      sql("SELECT max(at) FROM $ INDEXED BY $_open WHERE ended IS NULL AND state = 'deferred'"),
      column<std::optional<Time>>);
}

Result<std::size_t> JobTable::wake(std::string_view reply_channel) {
  ASSIGN_OR_RETURN(const auto woken,
                   change(connection_,
                          sql("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
                              " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                              " AND state = 'deferred' AND reply_channel = ?)"),
                          reply_channel));
  return static_cast<std::size_t>(woken);
}

Result<std::int64_t> JobTable::take_back(std::int64_t owner) {
  return change(connection_,
                sql("UPDATE $ SET state = 'waiting', owner = NULL, at = NULL WHERE seq IN"
                    " (SELECT seq FROM $ INDEXED BY $_open WHERE ended IS NULL"
                    " AND state = 'active' AND owner = ?)"),
                owner);
}

Result<std::vector<Lease>> JobTable::waiting(std::size_t max, Run& found) {
  LeaseReader reader;
  TRY(each(
      connection_,
      sql("SELECT seq, id, attempts, arrived, released, octets, " CMPOST_ENVELOPE_COLUMNS
          " FROM $ INDEXED BY $_open CROSS JOIN $_payload USING (seq)"
          " WHERE ended IS NULL AND state = 'waiting' AND at IS NULL@"
          " ORDER BY seq LIMIT ?"),
      [&](Row& row) { return reader.take(row); }, channels_, max));
  if (!reader.seqs().empty()) found = {reader.seqs().front(), reader.seqs().back()};
  return std::move(reader).leases();
}

Result<std::vector<Lease>> JobTable::lease_of(std::string_view reply_channel, std::size_t max,
                                              std::int64_t owner, Time until) {
  LeaseReader reader;
  TRY(each(
      connection_,
      sql("SELECT seq, id, attempts, arrived, released, octets, " CMPOST_ENVELOPE_COLUMNS
          " FROM $ INDEXED BY $_open CROSS JOIN $_payload USING (seq)"
          " WHERE ended IS NULL AND state IN ('waiting', 'deferred') AND reply_channel = ?"
          " ORDER BY seq LIMIT ?"),
      [&](Row& row) { return reader.take(row); }, reply_channel, max));
  for (const auto seq : reader.seqs()) {
    TRY(change(connection_,
               sql("UPDATE $ SET state = 'active', attempts = attempts + 1, owner = ?, at = ?"
                   " WHERE seq = ?"),
               owner, until, seq));
  }
  return std::move(reader).leases();
}

Result<std::vector<Lease>> JobTable::lease(std::size_t max, std::int64_t owner, Time until) {
  Run run{0, -1};
  ASSIGN_OR_RETURN(auto leases, waiting(max, run));
  if (leases.empty()) return leases;
  // Being the oldest, they are all that wait in this range.
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          sql("UPDATE $ INDEXED BY $_open SET state = 'active',"
                              " attempts = attempts + 1, owner = ?, at = ?"
                              " WHERE ended IS NULL AND state = 'waiting' AND at IS NULL@"
                              " AND seq BETWEEN ? AND ?"),
                          owner, until, channels_, run.first, run.last));
  CHECK(changed == static_cast<std::int64_t>(leases.size()));
  return leases;
}

Result<bool> JobTable::has_work(const Moment& now) {
  return only(connection_,
              sql("SELECT EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'waiting'@)"
                  " OR EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'deferred'"
                  "   AND at <= ?@)"
                  " OR EXISTS (SELECT 1 FROM $ WHERE ended IS NULL AND state = 'active'"
                  "   AND (at <= ? OR at > ?)@)"),
              column<bool>, channels_, now.wall, channels_, now.steady, now.steady + now.lease,
              channels_);
}

Result<JobTable::Events> JobTable::next_events() {
  const auto read = [](Row& row) {
    Events events;
    row.into(events.due, events.lease_end);
    return events;
  };
  return only(connection_,
              sql("SELECT (SELECT min(at) FROM $ WHERE ended IS NULL AND state = 'deferred'@),"
                  " (SELECT min(at) FROM $ WHERE ended IS NULL AND state = 'active'@)"),
              read, channels_, channels_);
}

}  // namespace cmpost
