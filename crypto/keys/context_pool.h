// Contexts of one key, made once and used again; for this folder only.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "crypto/keys/openssl.h"

namespace cmpost {

// A context that belongs to nobody at the moment, or none. There are never more contexts than there
// have been threads in the key at once. Any thread.
class ContextPool {
 public:
  EvpPkeyCtxPtr take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }
  void put(EvpPkeyCtxPtr context) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(context));
  }
  // All of them, when no other thread knows the pool any more.
  std::vector<EvpPkeyCtxPtr> take_all() { return std::exchange(idle_, {}); }

 private:
  std::mutex mutex_;
  std::vector<EvpPkeyCtxPtr> idle_;  // guarded by mutex_
};

}  // namespace cmpost
