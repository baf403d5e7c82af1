// Whether an SFTP channel works, tried for real.
#pragma once

#include "app/instance.h"

namespace cmpost {

// Logs in at both servers of the channel and looks at both directories; changes nothing there.
Result<void> log_in_by_sftp(const ChannelSettings& channel);

// Writes a small hidden file into the directory of answers the way an answer is written, reads it
// back and removes it. How long it took.
Result<Duration> write_a_probe(Instance& instance, const ChannelSettings& channel);

}  // namespace cmpost
