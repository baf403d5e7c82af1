#include "base/watched_clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <array>

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 4> kDoubts = {"none", "ahead", "long_off", "behind"};

bool same_boot(const ClockReading& before, const ClockReading& now) {
  return !now.boot.empty() && before.boot == now.boot && now.since_boot >= before.since_boot;
}

// What has passed for certain. Between two starts that is nothing: the second may be of another
// machine, which has been on for long.
Duration passed(const ClockReading& before, const ClockReading& now) {
  return same_boot(before, now) ? now.since_boot - before.since_boot : Duration::zero();
}

// The time in doubt has gone on as time does.
bool goes_on(const ClockReading& first, const ClockReading& now, const ClockRules& rules) {
  return same_boot(first, now) && doubt_of(first, now, rules) == ClockDoubt::none;
}

}  // namespace

ClockDoubt doubt_of(const ClockReading& accepted, const ClockReading& now,
                    const ClockRules& rules) {
  const auto least = accepted.wall + passed(accepted, now);
  if (now.wall < least - rules.tolerance) return ClockDoubt::behind;
  if (same_boot(accepted, now)) {
    return now.wall > least + rules.tolerance ? ClockDoubt::ahead : ClockDoubt::none;
  }
  return now.wall > least + rules.usual_off ? ClockDoubt::long_off : ClockDoubt::none;
}

bool is_small_step(const ClockReading& accepted, const ClockReading& now, const ClockRules& rules) {
  return now.wall - accepted.wall - passed(accepted, now) <= rules.small_step + rules.tolerance;
}

std::string_view to_string(ClockDoubt doubt) { return kDoubts[static_cast<std::size_t>(doubt)]; }

std::optional<ClockDoubt> clock_doubt(std::string_view text) {
  const auto* const found = std::ranges::find(kDoubts, text);
  if (found == kDoubts.end()) return std::nullopt;
  return static_cast<ClockDoubt>(found - kDoubts.begin());
}

ClockState judge(const ClockState& before, const ClockReading& now, const ClockRules& rules) {
  const auto doubt = doubt_of(before.accepted, now, rules);
  if (doubt == ClockDoubt::none || now.synchronized) return {now, ClockDoubt::none, {}};
  if (!before.first || before.doubt != doubt) return {before.accepted, doubt, now};
  // The rest is believed by people only: with a clock that was set back CRLs would get older, and
  // nobody can tell a machine that was off from one whose clock was set. The first reading tells
  // how much time has passed.
  if (doubt != ClockDoubt::ahead) {
    return {before.accepted, doubt, same_boot(*before.first, now) ? *before.first : now};
  }
  if (!goes_on(*before.first, now, rules)) return {before.accepted, doubt, now};
  if (is_small_step(before.accepted, now, rules) && now.wall - before.first->wall >= rules.trial) {
    return {now, ClockDoubt::none, {}};
  }
  return {before.accepted, doubt, before.first};
}

Time sure_time(const ClockState& state, const ClockReading& now, const ClockRules& rules) {
  if (now.synchronized || doubt_of(state.accepted, now, rules) == ClockDoubt::none) return now.wall;
  if (same_boot(state.accepted, now) || !state.first) {
    return state.accepted.wall + passed(state.accepted, now);
  }
  return state.accepted.wall + passed(*state.first, now);
}

Time likely_time(const ClockState& state, const ClockReading& now, const ClockRules& rules) {
  const bool off = doubt_of(state.accepted, now, rules) == ClockDoubt::long_off;
  return off ? now.wall : sure_time(state, now, rules);
}

WatchedClock::WatchedClock(const Clock& wall, const Clock& since_boot, std::string boot,
                           std::function<bool()> synchronized, ClockRules rules)
    : wall_(wall),
      since_boot_(since_boot),
      boot_(std::move(boot)),
      synchronized_(std::move(synchronized)),
      rules_(rules),
      sure_(*this, sure_time),
      likely_(*this, likely_time),
      reading_(read()),
      state_{reading_, ClockDoubt::none, {}} {}

ClockReading WatchedClock::read() const {
  return {wall_.now(), since_boot_.now(), boot_, synchronized_ && synchronized_()};
}

ClockState WatchedClock::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

void WatchedClock::remember(ClockState state) {
  const MutexLock lock(mutex_);
  state_ = std::move(state);
}

// For every message, more than once: nothing is copied, and the kernel is asked about time services
// only where that decides.
Time WatchedClock::reckon(Reckoning reckoning) const {
  const MutexLock lock(mutex_);
  reading_.wall = wall_.now();
  reading_.since_boot = since_boot_.now();
  if (doubt_of(state_.accepted, reading_, rules_) == ClockDoubt::none) return reading_.wall;
  reading_.synchronized = synchronized_ && synchronized_();
  return reckoning(state_, reading_, rules_);
}

bool system_clock_is_synchronized() {
  timex state{};
  const int is = ::adjtimex(&state);
  return is >= 0 && is != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

}  // namespace cmpost
