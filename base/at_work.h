// What a process hangs at when it does not end.
#pragma once

#include <string>

namespace cmpost {

// Says, as long as it lives, what its thread is at that may last: "taking in by depots". All
// members may be called from any thread.
class AtWork {
 public:
  explicit AtWork(const std::string& what);
  ~AtWork();
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

  // All that is at work in this process, with commas.
  static std::string list();

 private:
  const std::string* const entry_;
};

}  // namespace cmpost
