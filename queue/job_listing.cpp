#include "queue/job_listing.h"

#include "queue/job_row.h"
#include "queue/spool_schema.h"
#include "store/database_transaction.h"

namespace cmpost {
namespace {

constexpr std::string_view kColumns =
    "id, state, attempts, arrived, at, reason, size, ended, owner, " CMPOST_ENVELOPE_COLUMNS;

std::string select(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM $ " + std::string(rest);
}

JobStatus status_of(Row& row) {
  JobStatus status;
  status.id = next_id(row);
  status.state = job_state(row.next<std::string_view>()).value_or(JobState::held);
  row.into(status.attempts, status.arrived);
  const auto at = row.next<Time>();
  if (status.state == JobState::deferred) status.due = at;
  row.into(status.reason, status.size, status.ended);
  const auto owner = row.next<std::optional<std::int64_t>>();
  status.dropped = status.state == JobState::done && owner == 0;
  status.envelope = next_envelope(row);
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
  if (filter.worked_since) {
    query.require("ended >= ? AND ifnull(owner, 1) <> 0", {to_unix_micros(*filter.worked_since)});
  }
  // Only so the index of the living jobs can be used.
  if (filter.state && filter.state != JobState::done) query.require("ended IS NULL");
  return query;
}

}  // namespace

Result<std::vector<JobStatus>> JobListing::list(const JobFilter& filter) {
  std::vector<JobStatus> jobs;
  TRY(query_of(name_, filter).for_each(connection_, [&](Row& row) -> Result<void> {
    jobs.push_back(status_of(row));
    return {};
  }));
  return jobs;
}

Result<std::int64_t> JobListing::for_each(
    const JobFilter& filter, const std::function<Result<void>(const JobStatus&)>& each) {
  DatabaseTransaction snapshot(connection_);
  TRY(snapshot.begin_read());
  return query_of(name_, filter).for_each_counted(connection_, [&](Row& row) {
    return each(status_of(row));
  });
}

// Looks at every row: the index knows whole ids.
Result<std::vector<JobId>> JobListing::ids_beginning(std::string_view digits, std::size_t limit) {
  ListQuery query("id", name_, {.row = "seq"}, {.limit = limit});
  query.require_beginning("id", digits);
  std::vector<JobId> found;
  TRY(query.for_each(connection_, [&](Row& row) -> Result<void> {
    found.push_back(next_id(row));
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
  return one(connection_, for_table(select("WHERE seq = ?"), name_), status_of, *seq);
}

// Looks from the end, where such a job is near.
Result<std::optional<JobStatus>> JobListing::newest_done(std::string_view reply_channel,
                                                         std::string_view reason) {
  return one(connection_,
             for_table(select("WHERE state = 'done' AND reply_channel = ? AND reason = ? "
                              "ORDER BY seq DESC LIMIT 1"),
                       name_),
             status_of, reply_channel, reason);
}

Result<Bytes> JobListing::payload(const JobId& id) {
  DatabaseTransaction snapshot(connection_);
  TRY(snapshot.begin_read());
  ASSIGN_OR_RETURN(const auto seq, seq_of(id));
  if (!seq) return hold("there is no " + name_ + " with the id " + id.text());
  ASSIGN_OR_RETURN(auto octets,
                   one(connection_, for_table("SELECT octets FROM $_payload WHERE seq = ?", name_),
                       column<Bytes>, *seq));
  if (!octets) {
    return hold("the octets of " + name_ + " " + id.text() + " are no longer in the queue",
                "a request that is done is found in the ledger");
  }
  return *std::move(octets);
}

// Only `queue.jobs` knows of the jobs that are done; the others are counted in their indexes.
Result<QueueCounts> JobListing::counts() {
  const auto read = [](Row& row) {
    QueueCounts counts;
    row.into(counts.waiting, counts.active, counts.deferred, counts.held);
    const auto all = row.next<std::size_t>();
    counts.done = all - counts.waiting - counts.active - counts.deferred - counts.held;
    row.into(counts.oldest);
    return counts;
  };
  return only(connection_,
              for_table("SELECT (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'waiting'),"
                        " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'active'),"
                        " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'deferred'),"
                        " (SELECT count(*) FROM $ WHERE ended IS NULL AND state = 'held'),"
                        " (SELECT jobs FROM queue WHERE name = '$'),"
                        " (SELECT arrived FROM $ WHERE seq ="
                        "   (SELECT min(seq) FROM $ INDEXED BY $_open WHERE ended IS NULL))",
                        name_),
              read);
}

Result<QueueCounts> JobListing::counts_of(std::string_view reply_channel) {
  const auto read = [](Row& row) {
    QueueCounts counts;
    row.into(counts.waiting, counts.active, counts.deferred, counts.held, counts.oldest);
    return counts;
  };
  return only(connection_,
              for_table("SELECT count(*) FILTER (WHERE state = 'waiting'),"
                        " count(*) FILTER (WHERE state = 'active'),"
                        " count(*) FILTER (WHERE state = 'deferred'),"
                        " count(*) FILTER (WHERE state = 'held'), min(arrived)"
                        " FROM $ INDEXED BY $_open WHERE ended IS NULL AND reply_channel = ?",
                        name_),
              read, reply_channel);
}

Result<std::vector<JobListing::Active>> JobListing::active() {
  const auto read = [](Row& row) {
    Active active{};
    row.into(active.owner, active.until, active.jobs);
    return active;
  };
  return all(connection_,
             for_table("SELECT owner, at, count(*) FROM $ WHERE ended IS NULL AND state = 'active'"
                       " GROUP BY owner, at",
                       name_),
             read);
}

Result<std::size_t> JobListing::pending(std::string_view channel) {
  return only(connection_,
              for_table("SELECT count(*) FROM $ INDEXED BY $_open WHERE ended IS NULL"
                        " AND state IN ('waiting', 'active', 'deferred') AND channel = ?1",
                        name_),
              column<std::size_t>, channel);
}

}  // namespace cmpost
