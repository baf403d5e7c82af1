// A clock that stands still until a test moves it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace cmpost {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start = from_unix_micros(1'790'000'000'000'000)) : now_(start) {}
  Time now() const override { return now_.load(); }
  void advance(Duration by) { now_ = now_.load() + by; }
  void set(Time time) { now_ = time; }

 private:
  std::atomic<Time> now_;
};

}  // namespace cmpost
