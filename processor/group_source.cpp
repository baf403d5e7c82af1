#include "processor/group_source.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/pause.h"

namespace cmpost {
namespace {

// A request that was leased this often and never ended may be what kills the process: it gets a
// group of its own, so that it takes nobody with it, and later waits for an operator.
constexpr int kSuspectAttempts = 10;
constexpr auto kMoment = std::chrono::seconds(1);

}  // namespace

Result<std::vector<Lease>> GroupSource::next() {
  return ahead_ ? std::move(*std::exchange(ahead_, {})) : find();
}

Result<std::vector<Lease>> GroupSource::find() {
  if (!redo_.empty()) return take_redo();
  if (!again_.empty()) return std::exchange(again_, {});
  if (suspects_.empty() && !is_before_the_ca()) {
    ASSIGN_OR_RETURN(auto leases, take());
    if (!leases.empty()) return leases;
  }
  std::vector<Lease> one;
  if (!suspects_.empty()) {
    one.push_back(std::move(suspects_.back()));
    suspects_.pop_back();
  }
  return one;
}

// Suspects are put aside.
Result<std::vector<Lease>> GroupSource::take() {
  ASSIGN_OR_RETURN(auto leases, spool_.requests().take(most_));
  const auto suspicious =
      std::stable_partition(leases.begin(), leases.end(),
                            [](const Lease& lease) { return lease.attempts <= kSuspectAttempts; });
  suspects_.assign(std::make_move_iterator(suspicious), std::make_move_iterator(leases.end()));
  leases.erase(suspicious, leases.end());
  return leases;
}

// By a clock that says so nothing can be issued, and no answer be dated: requests wait until
// somebody has put it right.
bool GroupSource::is_before_the_ca() {
  const auto begin = services_.role.begins();
  const auto now = services_.clock.now();
  const bool before = now < begin;
  if (before && !told_before_) {
    log::error("clock.before_ca",
               {{"clock", to_iso8601(now)},
                {"reason", "the CA certificate begins later; requests wait"},
                {"hint", "put the clock of this machine right, then see `cmpost clock`"}});
  }
  told_before_ = before;
  return before;
}

std::vector<Lease> GroupSource::take_redo() {
  std::vector<Lease> leases;
  for (auto& redo : redo_) {
    contests_.insert_or_assign(redo.lease.job.id, std::move(redo.contest));
    leases.push_back(std::move(redo.lease));
  }
  redo_.clear();
  return leases;
}

void GroupSource::look_ahead() {
  if (!suspects_.empty()) return;
  auto leases = find();
  if (!leases || !leases->empty()) ahead_ = std::move(leases);
}

Group GroupSource::begin(std::vector<Lease> leases) {
  Group group(leases.size());
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (seen_.erase(leases[i].job.id) > 0) group[i].turn = Turn::again;
    if (const auto contest = contests_.extract(leases[i].job.id)) {
      group[i].contest = contest.mapped();
    }
    group[i].lease = std::move(leases[i]);
  }
  return group;
}

void GroupSource::add_redo(std::vector<Redo> redo) {
  redo_.insert(redo_.end(), std::make_move_iterator(redo.begin()),
               std::make_move_iterator(redo.end()));
}

void GroupSource::add_early(std::vector<Lease> early) {
  again_ = std::move(early);
  for (const auto& lease : again_) seen_.insert(lease.job.id);
}

void GroupSource::wait(const std::stop_token& stop) {
  if (is_before_the_ca()) {
    (void)pause(kMoment, stop);
  } else {
    spool_.requests().wait_for_work(kMoment);
  }
}

std::vector<JobId> GroupSource::give_up() {
  std::vector<JobId> ids;
  const auto add = [&](const std::vector<Lease>& leases) {
    for (const auto& lease : leases) ids.push_back(lease.job.id);
  };
  add(take_redo());
  add(std::exchange(again_, {}));
  add(std::exchange(suspects_, {}));
  if (ahead_ && *ahead_) add(**ahead_);
  ahead_.reset();
  contests_.clear();
  seen_.clear();
  return ids;
}

}  // namespace cmpost
