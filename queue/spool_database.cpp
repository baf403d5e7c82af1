#include "queue/spool_database.h"

#include <algorithm>

#include "base/log.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::int64_t kNeverSeen = -1;
// A clock that is kept right goes back by less.
constexpr Duration kSetBack = std::chrono::seconds(10);
// Nothing is deferred for longer.
constexpr Duration kLongestDelay = std::chrono::hours(24);

}  // namespace

SpoolDatabase::SpoolDatabase(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader,
                             std::string path, Duration lease, const ChannelScope& scope,
                             const SpoolClocks& clocks)
    : clocks_(clocks),
      lease_(lease),
      path_(std::move(path)),
      writer_(std::move(writer)),
      reader_(std::move(reader)),
      seen_(moment()),
      requests_{JobTable(*writer_, "request", JobTable::Finished::forget_payload, scope, "channel"),
                JobListing(*reader_, "request"),
                WorkSignal(),
                kNeverSeen,
                {}},
      replies_{
          JobTable(*writer_, "reply", JobTable::Finished::keep_payload, scope, "reply_channel"),
          JobListing(*reader_, "reply"),
          WorkSignal(),
          kNeverSeen,
          {}} {}

JobTable::Moment SpoolDatabase::moment() const {
  return {clocks_.wall.now(), clocks_.steady.now(), lease_};
}

bool SpoolDatabase::was_set_back() const {
  const auto now = moment();
  return now.wall - seen_.wall < now.steady - seen_.steady - kSetBack;
}

Result<void> SpoolDatabase::look_at_clock() {
  if (was_set_back()) TRY(hasten());
  seen_ = moment();
  return {};
}

Result<void> SpoolDatabase::hasten() {
  return transaction([&]() -> Result<void> {
    for (auto* queue : {&requests_, &replies_}) {
      ASSIGN_OR_RETURN(const auto jobs, queue->table.hasten(now()));
      if (jobs == 0) continue;
      log::warning("jobs.hastened", {{"jobs", jobs}, {"reason", "the clock was set back"}});
      queue->signal.work_added();
    }
    return {};
  });
}

// Of an earlier process: it has put a job at a time that is still to come, or deferred one for
// longer than anybody does.
Result<bool> SpoolDatabase::has_been_later() {
  for (auto* queue : {&requests_, &replies_}) {
    ASSIGN_OR_RETURN(const auto newest, queue->table.newest_arrival());
    if (newest && *newest > now() + kSetBack) return true;
    ASSIGN_OR_RETURN(const auto due, queue->table.last_due());
    if (due && *due > now() + kLongestDelay) return true;
  }
  return false;
}

Result<std::vector<Lease>> SpoolDatabase::take(QueueParts& queue, std::size_t max) {
  const MutexLock lock(write_mutex_);
  // Both are noted before the look, so that what comes during it is not missed.
  const auto generation = queue.signal.generation();
  ASSIGN_OR_RETURN(const auto version, data_version());
  ASSIGN_OR_RETURN(const auto dead, dead_owners());
  TRY(free_leases_of(dead));
  TRY(look_at_clock());
  // Looking first keeps an idle process from writing.
  ASSIGN_OR_RETURN(const bool work, queue.table.has_work(moment()));
  if (work) {
    ASSIGN_OR_RETURN(auto leases, lease(queue, max));
    if (!leases.empty()) return leases;
  }
  ASSIGN_OR_RETURN(queue.next, queue.table.next_events());
  queue.seen_version = version;
  queue.signal.nothing_found(generation);
  return std::vector<Lease>();
}

Result<std::vector<Lease>> SpoolDatabase::take_of(QueueParts& queue, std::string_view channel,
                                                  std::size_t max) {
  const MutexLock lock(write_mutex_);
  ASSIGN_OR_RETURN(const auto dead, dead_owners());
  TRY(free_leases_of(dead));
  TRY(look_at_clock());
  ASSIGN_OR_RETURN(const auto owner, own_number());
  return transaction([&]() -> Result<std::vector<Lease>> {
    TRY(queue.table.wake(moment()));  // leases that are over
    return queue.table.lease_of(channel, max, owner, clocks_.steady.now() + lease_);
  });
}

Result<std::vector<Lease>> SpoolDatabase::lease(QueueParts& queue, std::size_t max) {
  ASSIGN_OR_RETURN(const auto owner, own_number());
  return transaction([&]() -> Result<std::vector<Lease>> {
    TRY(queue.table.wake(moment()));
    return queue.table.lease(max, owner, clocks_.steady.now() + lease_);
  });
}

// After a transaction that was not committed.
void SpoolDatabase::forget() {
  requests_.table.forget();
  replies_.table.forget();
}

bool SpoolDatabase::may_have_work(const QueueParts& queue) {
  const MutexLock lock(write_mutex_);
  const auto version = data_version();
  if (version && *version != queue.seen_version) return true;
  if (queue.next.due && now() >= *queue.next.due) return true;
  if (queue.next.lease_end && clocks_.steady.now() >= *queue.next.lease_end) return true;
  if (was_set_back()) return true;
  const auto dead = dead_owners();
  return dead && !dead->empty();
}

Result<void> SpoolDatabase::clean_up() {
  const MutexLock lock(write_mutex_);
  ASSIGN_OR_RETURN(const auto dead, dead_owners());
  TRY(free_leases_of(dead));
  ASSIGN_OR_RETURN(const bool later, has_been_later());
  if (later) TRY(hasten());
  for (const auto& token : owner_files(path_)) remove_dead_owner(path_, token);
  return {};
}

// Changes with every commit of another connection, and with none of this one.
Result<std::int64_t> SpoolDatabase::data_version() {
  return only(*writer_, "PRAGMA data_version", column<std::int64_t>);
}

// Registered before its first lease, so that whoever sees the lease can see the owner.
Result<std::int64_t> SpoolDatabase::own_number() {
  if (owner_) return own_number_;
  ASSIGN_OR_RETURN(auto owner, LeaseOwner::create(path_));
  const auto registered = transaction([&, &writer = *writer_]() -> Result<std::int64_t> {
    TRY(change(writer, "INSERT INTO owner(token) VALUES (?)", owner.token()));
    return writer.last_insert_id();
  });
  ASSIGN_OR_RETURN(own_number_, registered);
  owner_.emplace(std::move(owner));
  return own_number_;
}

Result<std::vector<SpoolDatabase::Owner>> SpoolDatabase::other_owners() {
  const auto read = [](Row& row) {
    Owner owner;
    row.into(owner.number, owner.token);
    return owner;
  };
  ASSIGN_OR_RETURN(auto owners, all(*writer_, "SELECT number, token FROM owner", read));
  if (owner_) {
    std::erase_if(owners, [own = own_number_](const Owner& one) { return one.number == own; });
  }
  return owners;
}

Result<std::vector<SpoolDatabase::Owner>> SpoolDatabase::dead_owners() {
  ASSIGN_OR_RETURN(auto owners, other_owners());
  std::erase_if(owners, [this](const Owner& owner) { return is_alive(path_, owner.token); });
  return owners;
}

Result<std::size_t> SpoolDatabase::hanging(QueueParts& queue) {
  const MutexLock lock(write_mutex_);
  ASSIGN_OR_RETURN(const auto active, read([&] { return queue.listing.active(); }));
  ASSIGN_OR_RETURN(const auto others, other_owners());
  const auto own = owner_ ? std::optional(own_number_) : std::nullopt;
  const auto now = clocks_.steady.now();
  const auto is_worked_on = [&](const JobListing::Active& lease) {
    if (lease.until <= now || lease.until > now + lease_) return false;
    if (lease.owner == own) return true;
    const auto owner = std::ranges::find(others, lease.owner, &Owner::number);
    return owner != others.end() && is_alive(path_, owner->token);
  };
  std::size_t jobs = 0;
  for (const auto& lease : active) {
    if (!is_worked_on(lease)) jobs += lease.jobs;
  }
  return jobs;
}

Result<void> SpoolDatabase::free_leases_of(const std::vector<Owner>& dead) {
  if (dead.empty()) return {};
  const auto freed = transaction([&, &writer = *writer_]() -> Result<std::int64_t> {
    std::int64_t jobs = 0;
    for (const auto& owner : dead) {
      for (auto* queue : {&requests_, &replies_}) {
        ASSIGN_OR_RETURN(const auto some, queue->table.take_back(owner.number));
        jobs += some;
      }
      TRY(change(writer, "DELETE FROM owner WHERE number = ?", owner.number));
    }
    return jobs;
  });
  TRY(freed);
  for (const auto& owner : dead) remove_dead_owner(path_, owner.token);
  if (*freed == 0) return {};
  log::info("leases.freed", {{"jobs", *freed}, {"owners", dead.size()}});
  requests_.signal.work_added();
  replies_.signal.work_added();
  return {};
}

}  // namespace cmpost
