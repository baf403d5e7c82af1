// The line in the log about input that nobody can take.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// `source`: as it is called at the source, in whatever octets. Whether it is news is the caller's
// to know.
void log_stuck(const std::string& channel, std::string_view source, const std::string& reason,
               const std::string& hint = {});

}  // namespace cmpost
