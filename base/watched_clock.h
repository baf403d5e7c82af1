// What time it is when the wall clock may be wrong. Somebody can set that clock, a battery can be
// empty; the clock that counts since the machine was started can be neither. What cannot be taken
// back waits until the two agree, or until a person or a trusted source has confirmed the wall
// clock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"

namespace cmpost {

// What the clocks of the machine show at one moment.
struct ClockReading {
  Time wall{};
  Time since_boot{};          // BootClock
  std::string boot;           // boot_id()
  bool synchronized = false;  // by a source that the settings trust
};

// Why the wall clock is not believed.
enum class ClockDoubt {
  none,
  ahead,     // it has gone further than the time that has passed
  long_off,  // the machine was off meanwhile, for longer than is usual, or the clock is ahead
  behind     // it was later already
};
std::string_view to_string(ClockDoubt doubt);
std::optional<ClockDoubt> clock_doubt(std::string_view text);

struct ClockRules {
  Duration tolerance = std::chrono::minutes(5);
  // A step ahead that is no longer than `small_step` puts right a clock that had drifted: it is
  // believed when the clock has gone right for `trial`. A longer one never is by itself, for with
  // it goes what cannot be taken back.
  Duration small_step = std::chrono::hours(1);
  Duration trial = std::chrono::hours(1);
  // A machine may be off for this long without a question.
  Duration usual_off = std::chrono::hours(24);
};

// What is remembered of the clock.
struct ClockState {
  ClockReading accepted;  // the last time that was believed
  ClockDoubt doubt = ClockDoubt::none;
  std::optional<ClockReading> first;  // of the time that is in doubt
};

// Whether `now` can come after what was believed.
ClockDoubt doubt_of(const ClockReading& accepted, const ClockReading& now, const ClockRules& rules);
// Of a clock that is ahead: whether it is believed after `trial`.
bool is_small_step(const ClockReading& accepted, const ClockReading& now, const ClockRules& rules);
// What is to be remembered after a look at the clock.
ClockState judge(const ClockState& before, const ClockReading& now, const ClockRules& rules);
// The earliest that it can be: the wall clock where it is believed, else the time that was believed
// last and what has passed since, as far as that is known.
Time sure_time(const ClockState& state, const ClockReading& now, const ClockRules& rules);
// The same, but the wall clock where nothing speaks against it but that the machine was off.
Time likely_time(const ClockState& state, const ClockReading& now, const ClockRules& rules);

// The wall clock under watch. All members may be called from any thread. Until it is told what is
// remembered it believes the time of its making.
class WatchedClock {
 public:
  // The clocks must outlive it. `synchronized`: what ClockReading says; empty: nobody does.
  WatchedClock(const Clock& wall, const Clock& since_boot, std::string boot,
               std::function<bool()> synchronized = {}, ClockRules rules = {});

  ClockReading read() const;
  ClockState state() const;
  void remember(ClockState state);
  const ClockRules& rules() const { return rules_; }

  // For judging what is due: never too early.
  const Clock& sure() const { return sure_; }
  // For dating what begins: a wall clock that is set by hand changes it only when it is believed.
  const Clock& likely() const { return likely_; }

 private:
  using Reckoning = Time (*)(const ClockState&, const ClockReading&, const ClockRules&);
  class View final : public Clock {
   public:
    View(const WatchedClock& watched, Reckoning reckoning)
        : watched_(watched), reckoning_(reckoning) {}
    Time now() const override { return watched_.reckon(reckoning_); }

   private:
    const WatchedClock& watched_;
    const Reckoning reckoning_;
  };

  Time reckon(Reckoning reckoning) const;

  const Clock& wall_;
  const Clock& since_boot_;
  const std::string boot_;
  const std::function<bool()> synchronized_;
  const ClockRules rules_;
  const View sure_, likely_;
  mutable Mutex mutex_;
  mutable ClockReading reading_ GUARDED_BY(mutex_);  // of reckon()
  ClockState state_ GUARDED_BY(mutex_);
};

// Whether a time service keeps the system's clock right, as the kernel knows (adjtimex(2)).
bool system_clock_is_synchronized();

}  // namespace cmpost
