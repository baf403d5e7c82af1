// What can be used up, as the parts of one commit plan to use it: none of them sees the others in
// the ledger yet.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace cmpost {

// Of one message, or of all members of a batch. Any thread.
class PlannedUses {
 public:
  // One more of `left`, which is what the ledger says. False: the others have them all.
  bool take(const std::string& what, std::int64_t left) {
    const std::lock_guard lock(mutex_);
    auto& taken = taken_[what];
    if (taken >= left) return false;
    ++taken;
    return true;
  }
  // It was not used in the end.
  void give_back(const std::string& what) {
    const std::lock_guard lock(mutex_);
    --taken_[what];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::int64_t> taken_;  // GUARDED_BY(mutex_)
};

}  // namespace cmpost
