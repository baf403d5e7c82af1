// The concrete channels: the only place that names them.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"
#include "outbox/egress.h"
#include "queue/spool.h"
#include "watcher/ingress.h"

namespace cmpost {

// One Ingress and one Egress a channel, in the order of the settings. References must outlive what
// is returned.
std::vector<std::unique_ptr<Ingress>> make_ingresses(const Settings& settings, JobQueue& requests,
                                                     const Clock& wall, const Clock& steady);
std::vector<std::unique_ptr<Egress>> make_egresses(const Settings& settings);

}  // namespace cmpost
