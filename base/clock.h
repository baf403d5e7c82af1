// Time, handed in so that a test can choose it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cmpost {

// UTC with microseconds. The databases store to_unix_micros().
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

inline std::int64_t to_unix_micros(Time time) { return time.time_since_epoch().count(); }
inline Time from_unix_micros(std::int64_t micros) { return Time(Duration(micros)); }

// "2026-01-31T23:59:59Z", whole seconds.
std::string to_iso8601(Time time);
std::optional<Time> from_iso8601(std::string_view text);  // the same form only

// All members may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// Time since some start, for intervals: nobody can set it, so it never jumps.
class SteadyClock final : public Clock {
 public:
  Time now() const override;
};

// Time since the machine was started, also while it slept: the same for all its processes, and like
// SteadyClock nobody can set it.
class BootClock final : public Clock {
 public:
  Time now() const override;
};
// Which start of the machine that is; empty where the system does not tell.
std::string boot_id();

}  // namespace cmpost
