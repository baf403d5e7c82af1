// The members of a large batch on their way to the ledger while others of it are still answered.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "processor/transaction/effects.h"

namespace cmpost {

// One for a batch, the owner of what its members change. The workers put it in, one thread takes it
// in order. The write lock of the ledger is not to be held while a slow key signs thousands of
// answers: so whoever takes waits first until what is missing should come within a short time, and
// gives up where that was an error.
class MemberStream {
 public:
  // `late`: members that another one of the batch excludes. They are answered inside the commit,
  // one after the other, when all others have taken effect.
  explicit MemberStream(std::size_t members, std::set<std::size_t> late = {});

  std::size_t size() const { return size_; }
  const std::set<std::size_t>& late() const { return late_; }
  bool is_late(std::size_t member) const { return late_.contains(member); }
  // By any thread, each member once; a late one that was put once more has another answer.
  void put(std::size_t member, Effects effects);
  // The decision about the whole batch is made, or there is none: nothing more will come.
  void end();

  // How a late member is answered: put() with what it changes when seen from `ledger`, or as
  // refused because of the conflict that its answer had. Nothing is put where that fails. Set
  // before anybody takes; called by the thread that takes, not after end().
  using Judge = std::function<void(std::size_t member, LedgerReader& ledger, const Conflict*)>;
  void judge_late_by(Judge judge) { judge_ = std::move(judge); }
  // By the thread that takes: what a late member changes, answered now unless it was before.
  // nullptr: it does not come.
  const Effects* judge(std::size_t member, LedgerReader& ledger);
  const Effects* refuse(std::size_t member, LedgerReader& ledger, const Conflict& conflict);
  // By the same: all late members are answered, or will not be.
  void end_late();
  // By who makes the decision about the whole, which needs them. False: they are not answered.
  bool wait_for_late();

  // Waits until the rest should come soon, or has come; where some are late, until it has come.
  void wait_until_soon();
  // Waits until all but the late ones have come, or will not.
  void wait_for_others();
  // Waits for a member; may be asked again. nullptr: it does not come. nullopt: not until then.
  using Moment = std::chrono::steady_clock::time_point;
  std::optional<const Effects*> wait_for(std::size_t member, Moment until = Moment::max());
  void wait_for_end();
  // After end(): what each that came changes.
  void for_each(const std::function<void(const Effects&)>& visit);
  // After end(): some member, of those that came, makes a new CRL due.
  bool changes_crl();

 private:
  bool is_soon() const REQUIRES(mutex_);
  bool others_are_in() const REQUIRES(mutex_);
  bool late_are_in() const REQUIRES(mutex_);
  const Effects* taken(std::size_t member);

  const std::size_t size_;
  const std::set<std::size_t> late_;
  Judge judge_;
  const std::chrono::steady_clock::time_point start_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::unique_ptr<const Effects>> effects_ GUARDED_BY(mutex_);
  std::size_t put_ GUARDED_BY(mutex_) = 0;     // but late ones
  std::size_t wanted_ GUARDED_BY(mutex_) = 0;  // the member that is waited for
  bool late_ended_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
};

}  // namespace cmpost
