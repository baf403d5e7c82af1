// How far a run is, for who waits for it.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"

namespace cmpost {

struct ProgressFacts {
  std::size_t done = 0, refused = 0;  // requests that are worked on; of these
  std::size_t left = 0;               // ... that are not
  std::size_t to_send = 0;            // answers
  bool all_taken_in = false;          // else `left` may grow
};

// "7 431 of 12 000 · 1 902/s · 3 refused · ready 08:17". On a terminal (standard error) one line
// below the log that is written over; elsewhere, every ten seconds, `run.progress` in the log. One
// thread.
class Progress {
 public:
  // `steady` outlives the object.
  explicit Progress(const Clock& steady) : steady_(steady), told_(steady.now()) {}
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // To be called about once a second.
  void tell(const ProgressFacts& facts);
  // The line goes away.
  void end();
  // What tell() shows on a terminal; local time, counted from `now`.
  std::string line(const ProgressFacts& facts, Time now) const;

 private:
  struct Look {
    Time at{};
    std::size_t done = 0;
  };
  void look(const ProgressFacts& facts);
  double rate() const;  // requests a second, lately; 0: not known
  std::optional<Duration> time_left(const ProgressFacts& facts) const;

  const Clock& steady_;
  Time told_;
  std::deque<Look> looks_;
};

}  // namespace cmpost
