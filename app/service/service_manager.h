// What systemd is told (sd_notify(3)); nothing where it has not started the process.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace cmpost {

// One datagram to the socket that NOTIFY_SOCKET names: "READY=1", "STOPPING=1", "STATUS=...".
void tell_service_manager(std::string_view state);
// "RELOADING=1" with the time that Type=notify-reload wants; "READY=1" ends it.
void tell_service_manager_of_reload();

// How often "WATCHDOG=1" is expected, halved: WATCHDOG_USEC of this process.
std::optional<Duration> watchdog_interval();

}  // namespace cmpost
