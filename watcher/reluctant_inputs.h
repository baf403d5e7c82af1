// Inputs that their source names and does not hand over.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/clock.h"
#include "carrier/way_state.h"

namespace cmpost {

// One such input must not stop those beside it: after some tries it is left out, and tried again
// at long intervals. In memory: a process that starts anew tries again. One thread.
class ReluctantInputs {
 public:
  // `now` everywhere: of a steady clock. What could not be had although its source was there; true
  // when that makes it left out, for the first time.
  bool failed(const std::string& input, const std::string& why, Time now);
  // It has come; true when it had been left out.
  bool came(const std::string& input);
  // Not to be asked for now.
  bool rests(const std::string& input, Time now) const;
  // How many are left out, whether they rest or not.
  std::size_t left_out() const;
  // These.
  std::vector<StuckInput> stuck(Time now) const;
  // Forgets all that the source does not name any more.
  void keep_only(const std::set<std::string>& named);
  bool empty() const { return inputs_.empty(); }
  std::size_t size() const { return inputs_.size(); }

 private:
  struct Input {
    int tries = 0;
    std::string why;
    Time again{};
  };
  std::map<std::string, Input> inputs_;
};

}  // namespace cmpost
