// Contexts of one key, made once and used again; for this folder only.
#pragma once

#include <utility>
#include <vector>

#include "base/mutex.h"
#include "crypto/keys/openssl.h"

namespace cmpost {

// A context that belongs to nobody at the moment, or none. There are never more contexts than there
// have been threads in the key at once. Any thread.
class ContextPool {
 public:
  EvpPkeyCtxPtr take() {
    const MutexLock lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }
  void put(EvpPkeyCtxPtr context) {
    const MutexLock lock(mutex_);
    idle_.push_back(std::move(context));
  }
  std::vector<EvpPkeyCtxPtr> take_all() {
    const MutexLock lock(mutex_);
    return std::exchange(idle_, {});
  }

 private:
  Mutex mutex_;
  std::vector<EvpPkeyCtxPtr> idle_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
