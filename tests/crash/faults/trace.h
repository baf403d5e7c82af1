// What changed in the watched files, in its order, for the model of a loss of power
// (power_loss.py).
#pragma once

#include <string_view>

namespace faults {

// Held around a change and its record, so that the trace has the order of the changes. Does nothing
// where no trace is wanted.
class Traced {
 public:
  Traced();
  ~Traced();
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

  // One record: `what` and the words, as netstrings.
  void note(std::string_view what, std::string_view first = {}, std::string_view second = {},
            std::string_view third = {}) const;
};

bool is_tracing();

}  // namespace faults
