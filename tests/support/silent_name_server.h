// Names whose name server never answers: getaddrinfo(3) of this program waits for it.
#pragma once

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <string_view>

#include "base/mutex.h"

namespace cmpost {
// This one, and all below it.
inline constexpr const char* kSilentName = "silent.example";
inline constexpr auto kNamesTake = std::chrono::seconds(20);
// How often such a name was asked for.
inline std::atomic<int> silent_names_asked = 0;

// Until it is left.
class Silence {
 public:
  void enter() {
    MutexLock lock(mutex_);
    left_.wait_for(lock, kNamesTake,
                   [this, now = generation_]() REQUIRES(mutex_) { return now != generation_; });
  }
  // Whoever waits is told that there is no answer.
  void leave() {
    const MutexLock lock(mutex_);
    ++generation_;
    left_.notify_all();
  }

 private:
  Mutex mutex_;
  std::condition_variable_any left_;
  int generation_ GUARDED_BY(mutex_) = 0;
};
// Never destroyed: threads are left in it.
inline Silence& silence_of_name_servers = *new Silence;
}  // namespace cmpost

// In the place of libc's, for all libraries of the program. Include this in one file of it.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (name != nullptr && std::string_view(name).ends_with(cmpost::kSilentName)) {
    ++cmpost::silent_names_asked;
    cmpost::silent_names_asked.notify_all();
    cmpost::silence_of_name_servers.enter();
    return EAI_AGAIN;
  }
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}
