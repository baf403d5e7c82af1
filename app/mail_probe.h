// Whether a mail channel works, tried for real.
#pragma once

#include "app/instance.h"

namespace cmpost {

// Logs in at both servers of the channel; changes nothing there.
Result<void> log_in(const ChannelSettings& channel);

// Sends a mail to the channel's own address and waits for it, at most a minute; it ends in the
// folder for mails that are done. How long it took.
Result<Duration> send_to_itself(Instance& instance, const ChannelSettings& channel);

}  // namespace cmpost
