// The members of a large batch on their way to the ledger while others of it are still answered.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "processor/effects.h"

namespace cmpost {

// One for a batch, the owner of what its members change. The workers put it in, one thread takes it
// in order. The write lock of the ledger is not to be held while a slow key signs thousands of
// answers: so whoever takes waits first until what is missing should come within a short time, and
// gives up where that was an error.
class MemberStream {
 public:
  explicit MemberStream(std::size_t members);

  std::size_t size() const { return size_; }
  // By any thread, each member once.
  void put(std::size_t member, Effects effects);
  // The decision about the whole batch is made, or there is none: nothing more will come.
  void end();

  // Waits until the rest should come soon, or has come.
  void wait_until_soon();
  // Waits for a member; may be asked again. nullptr: it does not come. nullopt: not until then.
  using Moment = std::chrono::steady_clock::time_point;
  std::optional<const Effects*> wait_for(std::size_t member, Moment until = Moment::max());
  void wait_for_end();
  // After end(): some member, of those that came, makes a new CRL due.
  bool changes_crl();

 private:
  bool is_soon() const;  // REQUIRES(mutex_)

  const std::size_t size_;
  const std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<const Effects>> effects_;  // GUARDED_BY(mutex_)
  std::size_t put_ = 0;                                  // GUARDED_BY(mutex_)
  std::size_t wanted_ = 0;  // GUARDED_BY(mutex_): the member that is waited for
  bool ended_ = false;      // GUARDED_BY(mutex_)
};

}  // namespace cmpost
