#include "queue/sqlite_queue.h"

namespace cmpost {

Result<std::size_t> SqliteQueue::put(std::span<const Job> jobs) {
  if (jobs.empty()) return 0;
  std::vector<const Job*> each;
  for (const auto& job : jobs) each.push_back(&job);
  const auto added =
      database_.write([&] { return parts_.table.insert(each, database_.now(), {}); });
  if (added && *added > 0) parts_.signal.work_added();
  return added;
}

Result<void> SqliteQueue::put_held(const Job& job, std::string_view reason) {
  const JobTable::Start held{JobState::held, reason};
  const auto* const only = &job;
  TRY(database_.write([&] { return parts_.table.insert({&only, 1}, database_.now(), held); }));
  return {};
}

Result<std::vector<Lease>> SqliteQueue::take(std::size_t max) {
  if (max == 0) return std::vector<Lease>();
  return database_.take(parts_, max);
}

Result<std::vector<Lease>> SqliteQueue::take_of(std::string_view channel, std::size_t max) {
  if (max == 0) return std::vector<Lease>();
  return database_.take_of(parts_, channel, max);
}

Result<QueueCounts> SqliteQueue::counts_of(std::string_view channel) {
  return database_.read([&] { return parts_.listing.counts_of(channel); });
}

Result<void> SqliteQueue::finish(std::span<const JobId> ids, std::string_view reason) {
  if (ids.empty()) return {};
  return database_.write([&] { return parts_.table.finish(ids, reason, database_.now()); });
}

Result<void> SqliteQueue::defer(const JobId& id, Time due, std::string_view reason) {
  TRY(database_.write([&] { return parts_.table.defer(id, due, reason); }));
  parts_.signal.work_added();  // the next take looks when it is due
  return {};
}

Result<void> SqliteQueue::defer_all(std::span<const JobId> ids, Time due, std::string_view reason) {
  TRY(database_.write([&]() -> Result<void> {
    for (const auto& id : ids) TRY(parts_.table.defer(id, due, reason));
    return {};
  }));
  parts_.signal.work_added();
  return {};
}

Result<void> SqliteQueue::hold(const JobId& id, std::string_view reason) {
  TRY(database_.write([&] { return parts_.table.hold(id, reason); }));
  return {};
}

Result<bool> SqliteQueue::bounce(const JobId& id, std::string_view reason) {
  return database_.write([&] { return parts_.table.bounce(id, reason); });
}

Result<std::vector<JobStatus>> SqliteQueue::list(const JobFilter& filter) {
  return database_.read([&] { return parts_.listing.list(filter); });
}

Result<std::int64_t> SqliteQueue::for_each(
    const JobFilter& filter, const std::function<Result<void>(const JobStatus&)>& each) {
  return database_.read([&] { return parts_.listing.for_each(filter, each); });
}

Result<std::vector<JobId>> SqliteQueue::ids_beginning(std::string_view digits, std::size_t limit) {
  return database_.read([&] { return parts_.listing.ids_beginning(digits, limit); });
}

Result<std::optional<JobStatus>> SqliteQueue::find(const JobId& id) {
  return database_.read([&] { return parts_.listing.find(id); });
}

Result<Bytes> SqliteQueue::payload(const JobId& id) {
  return database_.read([&] { return parts_.listing.payload(id); });
}

Result<std::optional<JobStatus>> SqliteQueue::newest_done(std::string_view reply_channel,
                                                          std::string_view reason) {
  return database_.read([&] { return parts_.listing.newest_done(reply_channel, reason); });
}

Result<QueueCounts> SqliteQueue::counts() {
  return database_.read([&] { return parts_.listing.counts(); });
}

Result<std::size_t> SqliteQueue::hanging() { return database_.hanging(parts_); }

Result<std::size_t> SqliteQueue::pending(std::string_view channel) {
  return database_.read([&] { return parts_.listing.pending(channel); });
}

Result<std::size_t> SqliteQueue::wake(std::string_view channel) {
  const auto woken = database_.write([&] { return parts_.table.wake(channel); });
  if (woken && *woken > 0) parts_.signal.work_added();
  return woken;
}

Result<bool> SqliteQueue::retry(const JobId& id) {
  const auto changed = database_.write([&] { return parts_.table.retry(id); });
  if (changed && *changed) parts_.signal.work_added();
  return changed;
}

Result<bool> SqliteQueue::release(const JobId& id) {
  const auto changed = database_.write([&] { return parts_.table.release(id); });
  if (changed && *changed) parts_.signal.work_added();
  return changed;
}

Result<bool> SqliteQueue::drop(const JobId& id, std::string_view reason) {
  return database_.write([&] { return parts_.table.drop(id, reason, database_.now()); });
}

// In several transactions, so that nobody waits long.
Result<std::size_t> SqliteQueue::purge(Time before) {
  std::size_t jobs = 0;
  for (std::optional<std::int64_t> from = 0; from;) {
    ASSIGN_OR_RETURN(const auto purged,
                     database_.write([&] { return parts_.table.purge(before, *from); }));
    jobs += purged.jobs;
    from = purged.next;
  }
  return jobs;
}

void SqliteQueue::wait_for_work(Duration time_out) {
  parts_.signal.wait(time_out, [this] { return database_.may_have_work(parts_); });
}

}  // namespace cmpost
