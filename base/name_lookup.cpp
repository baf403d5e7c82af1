#include "base/name_lookup.h"

#include <condition_variable>
#include <map>

#include "base/mutex.h"
#include "base/start_thread.h"

namespace cmpost {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(100);  // between two looks at `give_up`

struct Lookup {
  Mutex mutex;
  std::condition_variable_any changed;
  bool ended GUARDED_BY(mutex) = false;
  int error GUARDED_BY(mutex) = 0;  // of getaddrinfo(3)
  AddressesPtr found GUARDED_BY(mutex);
};

class Lookups {
 public:
  // The one that is under way for the same, or a new one.
  Result<std::shared_ptr<Lookup>> join(const std::string& host, const std::string& port) {
    const MutexLock lock(mutex_);
    const Key key{host, port};
    if (const auto found = under_way_.find(key); found != under_way_.end()) return found->second;
    if (under_way_.size() >= kMostLookups) {
      return retry(std::to_string(under_way_.size()) +
                       " other names are being asked for, and no name server answers",
                   "see /etc/resolv.conf");
    }
    const auto lookup = std::make_shared<Lookup>();
    ASSIGN_OR_RETURN(auto thread, start_thread([this, key, lookup] { run(key, *lookup); }));
    thread.detach();
    under_way_.emplace(key, lookup);
    return lookup;
  }

 private:
  using Key = std::pair<std::string, std::string>;  // host, port

  void run(const Key& key, Lookup& lookup) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    addrinfo* all = nullptr;
    const int error = ::getaddrinfo(key.first.c_str(), key.second.c_str(), &hints, &all);
    leave(key);
    const MutexLock lock(lookup.mutex);
    lookup.error = error;
    if (error == 0) lookup.found = AddressesPtr(all, ::freeaddrinfo);
    lookup.ended = true;
    lookup.changed.notify_all();
  }

  void leave(const Key& key) {
    const MutexLock lock(mutex_);
    under_way_.erase(key);
  }

  Mutex mutex_;
  std::map<Key, std::shared_ptr<Lookup>> under_way_ GUARDED_BY(mutex_);
};

Lookups& lookups() {
  static auto& one = *new Lookups;  // never destroyed: threads may still leave it at the end
  return one;
}

}  // namespace

Result<AddressesPtr> find_addresses(const std::string& host, int port,
                                    std::chrono::steady_clock::time_point until,
                                    const std::function<bool()>& give_up) {
  const auto doing = "finding the address of " + host;
  auto joined = lookups().join(host, std::to_string(port));
  if (!joined) return failure(std::move(joined).error().within(doing));
  auto& lookup = **joined;
  MutexLock lock(lookup.mutex);
  while (!lookup.changed.wait_for(lock, kSlice,
                                  [&]() REQUIRES(lookup.mutex) { return lookup.ended; })) {
    if (give_up() || std::chrono::steady_clock::now() >= until) {
      return retry(doing + ": no name server has answered in time");
    }
  }
  if (lookup.error != 0) return retry(doing + ": " + ::gai_strerror(lookup.error));
  return lookup.found;
}

}  // namespace cmpost
