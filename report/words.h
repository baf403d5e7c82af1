// Numbers, times and lengths of time as a person reads them. The same whatever the locale is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace cmpost {

std::string grouped(std::uint64_t number);  // "11 986"
// "1 request", "12 000 requests".
std::string count_of(std::uint64_t number, std::string_view noun);
// "1.4 %"; what is not none is never shown as "0.0 %": "under 0.1 %". Empty: of nothing.
std::string share_of(std::uint64_t part, std::uint64_t whole);

// All in UTC.
std::string day_of(Time time);         // "21 Nov 2026"
std::string weekday_of(Time time);     // "Sat"
std::string month_of(Time time);       // "Nov 2026"
std::string hour_of(Time time);        // "03:00"
std::string moment_of(Time time);      // "Sat 21 Nov 2026, 03:00 UTC"
std::string length_of(Duration time);  // "2 h 15 min"; "0 s" of what is negative
// "in 21 days", "in 22 hours", "in more than 4 years", "3 days ago": rounded down.
std::string distance_of(Time time, Time now);
// The first day of the month that comes `months` after that of `time`.
Time month_after(Time time, unsigned months);

}  // namespace cmpost
