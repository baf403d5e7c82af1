#include "queue/job_listing.h"

#include "queue/job_row.h"
#include "queue/spool_schema.h"
#include "store/database_transaction.h"

namespace cmpost {
namespace {

constexpr std::string_view kColumns =
    "id, state, attempts, arrived, at, reason, size, ended, " CMPOST_ENVELOPE_COLUMNS;

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM $ " + std::string(rest);
}

JobStatus status_of(const Statement& row) {
  JobStatus status;
  status.id = id_of(row, 0);
  status.envelope = envelope_of(row, 8);
  status.state = job_state(row.text(1)).value_or(JobState::held);
  status.attempts = static_cast<int>(row.integer(2));
  status.arrived = time_of(row, 3);
  if (status.state == JobState::deferred) status.due = time_of(row, 4);
  status.reason = row.text(5);
  status.size = static_cast<std::size_t>(row.integer(6));
  if (!row.is_null(7)) status.ended = time_of(row, 7);
  return status;
}

ListQuery query_of(const std::string& table, const JobFilter& filter) {
  ListColumns columns = {.row = "seq",
                         .time = "arrived",
                         .channel = "channel",
                         .state = "state",
                         .source = "source",
                         .reason = "reason"};
  for (const auto name : kJobSorts) columns.sorts.emplace_back(name, name);
  ListQuery query(
      std::string(kColumns), table, columns,
      {.since = filter.since,
       .until = filter.until,
       .channel = filter.channel.value_or(""),
       .state = std::string(filter.state ? to_string(*filter.state) : ""),
       .source = filter.source,
       .reason = filter.reason,
       .sort = std::string(filter.sort ? kJobSorts.at(static_cast<std::size_t>(*filter.sort)) : ""),
       .newest = filter.newest_first,
       .limit = filter.limit,
       .offset = filter.offset});
  // Only so the index of the living jobs can be used.
  if (filter.state && filter.state != JobState::done) query.require("ended IS NULL");
  return query;
}

}  // namespace

Result<std::vector<JobStatus>> JobListing::list(const JobFilter& filter) {
  std::vector<JobStatus> jobs;
  TRY(query_of(name_, filter).for_each(connection_, [&](const Statement& row) -> Result<void> {
    jobs.push_back(status_of(row));
    return {};
  }));
  return jobs;
}

Result<std::int64_t> JobListing::for_each(
    const JobFilter& filter, const std::function<Result<void>(const JobStatus&)>& each) {
  DatabaseTransaction snapshot(connection_);
  TRY(snapshot.begin_read());
  return query_of(name_, filter).for_each_counted(connection_, [&](const Statement& row) {
    return each(status_of(row));
  });
}

// Looks at every row: the index knows whole ids.
Result<std::vector<JobId>> JobListing::ids_beginning(std::string_view digits, std::size_t limit) {
  ListQuery query("id", name_, {.row = "seq"}, {.limit = limit});
  query.require_beginning("id", digits);
  std::vector<JobId> found;
  TRY(query.for_each(connection_, [&](const Statement& row) -> Result<void> {
    found.push_back(id_of(row, 0));
    return {};
  }));
  return found;
}

Result<std::optional<std::int64_t>> JobListing::seq_of(const JobId& id) {
  if (auto refreshed = ids_.refresh(); !refreshed) {
    ids_.clear();
    return failure(std::move(refreshed).error());
  }
  return ids_.find(id);
}

Result<std::optional<JobStatus>> JobListing::find(const JobId& id) {
  DatabaseTransaction snapshot(connection_);
  TRY(snapshot.begin_read());
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return std::nullopt;
  ASSIGN_OR_RETURN(auto* const query,
                   connection_.statement(for_table(select("WHERE seq = ?"), name_)));
  query->bind(1, *seq);
  ASSIGN_OR_RETURN(const bool row, query->step());
  auto status = row ? std::optional(status_of(*query)) : std::nullopt;
  query->reset();
  return status;
}

// Looks from the end, where such a job is near.
Result<std::optional<JobStatus>> JobListing::newest_done(std::string_view reply_channel,
                                                         std::string_view reason) {
  ASSIGN_OR_RETURN(auto* const query, connection_.statement(for_table(
                                          select("WHERE state = 'done' AND reply_channel = ?"
                                                 " AND reason = ? ORDER BY seq DESC LIMIT 1"),
                                          name_)));
  query->bind(1, reply_channel);
  query->bind(2, reason);
  ASSIGN_OR_RETURN(const bool row, query->step());
  auto status = row ? std::optional(status_of(*query)) : std::nullopt;
  query->reset();
  return status;
}

Result<Bytes> JobListing::payload(const JobId& id) {
  DatabaseTransaction snapshot(connection_);
  TRY(snapshot.begin_read());
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return hold("there is no " + name_ + " with the id " + id.text());
  ASSIGN_OR_RETURN(auto* const query, connection_.statement(for_table(
                                          "SELECT octets FROM $_payload WHERE seq = ?", name_)));
  query->bind(1, *seq);
  ASSIGN_OR_RETURN(const bool row, query->step());
  if (!row) {
    return hold("the octets of " + name_ + " " + id.text() + " are no longer in the queue",
                "a request that is done is found in the ledger");
  }
  auto octets = to_bytes(query->blob(0));
  query->reset();
  return octets;
}

// Only `queue.jobs` knows of the jobs that are done; the others are counted in their indexes.
Result<QueueCounts> JobListing::counts() {
  ASSIGN_OR_RETURN(auto* const query,
                   connection_.statement(for_table(
                       "SELECT (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'waiting'),"
                       " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'active'),"
                       " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'deferred'),"
                       " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'held'),"
                       " (SELECT jobs FROM queue WHERE name = '$'),"
                       " (SELECT arrived FROM $ WHERE seq ="
                       "   (SELECT min(seq) FROM $ INDEXED BY $_open WHERE ended IS NULL))",
                       name_)));
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto number = [query](int column) {
    return static_cast<std::size_t>(query->integer(column));
  };
  QueueCounts counts{number(0), number(1), number(2), number(3), 0, std::nullopt};
  counts.done = number(4) - counts.waiting - counts.active - counts.deferred - counts.held;
  if (!query->is_null(5)) counts.oldest = time_of(*query, 5);
  query->reset();
  return counts;
}

Result<std::vector<JobListing::Active>> JobListing::active() {
  ASSIGN_OR_RETURN(auto* const query, connection_.statement(for_table(
                                          "SELECT owner, at, count(*) FROM $ WHERE ended IS NULL"
                                          " AND state = 'active' GROUP BY owner, at",
                                          name_)));
  std::vector<Active> active;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, query->step());
    if (!row) break;
    active.push_back(
        {query->integer(0), time_of(*query, 1), static_cast<std::size_t>(query->integer(2))});
  }
  query->reset();
  return active;
}

Result<std::size_t> JobListing::pending(std::string_view channel) {
  ASSIGN_OR_RETURN(auto* const query,
                   connection_.statement(
                       for_table("SELECT count(*) FROM $ INDEXED BY $_open WHERE ended IS NULL"
                                 " AND state IN ('waiting', 'active', 'deferred') AND channel = ?1",
                                 name_)));
  query->bind(1, channel);
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto count = static_cast<std::size_t>(query->integer(0));
  query->reset();
  return count;
}

}  // namespace cmpost
