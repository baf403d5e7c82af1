// Settings with a unit: "398d", "1MiB", "2%".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cmpost {

// A whole number and one of ms s m h d w, without blanks: "10s", "1h", "2w". "0" needs no unit. At
// most 100 years. The Error (hold) says what is wrong and its hint which units there are.
Result<Duration> parse_duration(std::string_view text);

// A whole number and one of B KiB MiB GiB: "64KiB". At most 1 TiB.
Result<std::size_t> parse_size(std::string_view text);

// "2%", "0.5%": 0 to 100.
Result<double> parse_percentage(std::string_view text);

// The shortest spelling that parse_duration and parse_size read back: "2w", "90s", "64KiB".
std::string spell_duration(Duration duration);
std::string spell_size(std::size_t octets);

}  // namespace cmpost
