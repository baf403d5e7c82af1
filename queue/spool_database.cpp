#include "queue/spool_database.h"

#include "base/log.h"

namespace cmpost {
namespace {

constexpr std::int64_t kNeverSeen = -1;

}  // namespace

SpoolDatabase::SpoolDatabase(std::unique_ptr<Connection> writer, std::unique_ptr<Connection> reader,
                             std::string path, Duration lease, const Clock& clock)
    : clock_(clock),
      lease_(lease),
      path_(std::move(path)),
      writer_(std::move(writer)),
      reader_(std::move(reader)),
      requests_{JobTable(*writer_, "request", JobTable::Finished::forget_payload),
                JobListing(*reader_, "request"), WorkSignal(), kNeverSeen, std::nullopt},
      replies_{JobTable(*writer_, "reply", JobTable::Finished::keep_payload),
               JobListing(*reader_, "reply"), WorkSignal(), kNeverSeen, std::nullopt} {}

Result<std::vector<Lease>> SpoolDatabase::take(QueueParts& queue, std::size_t max) {
  const std::lock_guard lock(write_mutex_);
  // Both are noted before the look, so that what comes during it is not missed.
  const auto generation = queue.signal.generation();
  ASSIGN_OR_RETURN(const auto version, data_version());
  ASSIGN_OR_RETURN(const auto dead, dead_owners());
  TRY(free_leases_of(dead));
  // Looking first keeps an idle process from writing.
  ASSIGN_OR_RETURN(const bool work, queue.table.has_work(now()));
  if (work) {
    ASSIGN_OR_RETURN(auto leases, lease(queue, max));
    if (!leases.empty()) return leases;
  }
  ASSIGN_OR_RETURN(queue.next_event, queue.table.next_event());
  queue.seen_version = version;
  queue.signal.nothing_found(generation);
  return std::vector<Lease>();
}

Result<std::vector<Lease>> SpoolDatabase::lease(QueueParts& queue, std::size_t max) {
  ASSIGN_OR_RETURN(const auto owner, own_number());
  return transaction([&]() -> Result<std::vector<Lease>> {
    TRY(queue.table.wake(now()));
    return queue.table.lease(max, owner, now() + lease_);
  });
}

// After a transaction that was not committed.
void SpoolDatabase::forget() {
  requests_.table.forget();
  replies_.table.forget();
}

bool SpoolDatabase::may_have_work(const QueueParts& queue) {
  const std::lock_guard lock(write_mutex_);
  const auto version = data_version();
  if (version && *version != queue.seen_version) return true;
  if (queue.next_event && now() >= *queue.next_event) return true;
  const auto dead = dead_owners();
  return dead && !dead->empty();
}

Result<void> SpoolDatabase::clean_up() {
  const std::lock_guard lock(write_mutex_);
  ASSIGN_OR_RETURN(const auto dead, dead_owners());
  TRY(free_leases_of(dead));
  for (const auto& token : owner_files(path_)) remove_dead_owner(path_, token);
  return {};
}

// Changes with every commit of another connection, and with none of this one.
Result<std::int64_t> SpoolDatabase::data_version() {
  ASSIGN_OR_RETURN(auto* const query, writer_->statement("PRAGMA data_version"));
  ASSIGN_OR_RETURN(const bool row, query->step());
  CHECK(row);
  const auto version = query->integer(0);
  query->reset();
  return version;
}

// Registered before its first lease, so that whoever sees the lease can see the owner.
Result<std::int64_t> SpoolDatabase::own_number() {
  if (owner_) return own_number_;
  ASSIGN_OR_RETURN(auto owner, LeaseOwner::create(path_));
  const auto registered = transaction([&]() -> Result<void> {
    ASSIGN_OR_RETURN(auto* const insert, writer_->statement("INSERT INTO owner(token) VALUES (?)"));
    insert->bind(1, owner.token());
    TRY(insert->execute());
    own_number_ = writer_->last_insert_id();
    return {};
  });
  TRY(registered);
  owner_.emplace(std::move(owner));
  return own_number_;
}

Result<std::vector<SpoolDatabase::Owner>> SpoolDatabase::other_owners() {
  ASSIGN_OR_RETURN(auto* const query, writer_->statement("SELECT number, token FROM owner"));
  std::vector<Owner> owners;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, query->step());
    if (!row) break;
    const bool own = owner_ && query->integer(0) == own_number_;
    if (!own) owners.push_back({query->integer(0), std::string(query->text(1))});
  }
  query->reset();
  return owners;
}

Result<std::vector<SpoolDatabase::Owner>> SpoolDatabase::dead_owners() {
  ASSIGN_OR_RETURN(auto owners, other_owners());
  std::erase_if(owners, [this](const Owner& owner) { return is_alive(path_, owner.token); });
  return owners;
}

Result<void> SpoolDatabase::free_leases_of(const std::vector<Owner>& dead) {
  if (dead.empty()) return {};
  const auto freed = transaction([&]() -> Result<std::int64_t> {
    std::int64_t jobs = 0;
    ASSIGN_OR_RETURN(auto* const remove, writer_->statement("DELETE FROM owner WHERE number = ?"));
    for (const auto& owner : dead) {
      for (auto* queue : {&requests_, &replies_}) {
        ASSIGN_OR_RETURN(const auto some, queue->table.take_back(owner.number));
        jobs += some;
      }
      remove->bind(1, owner.number);
      TRY(remove->execute());
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
