// The channels of an instance, made (channel_kinds.h).
#pragma once

#include <memory>
#include <vector>

#include "app/instance/instance.h"
#include "carrier/way_state.h"
#include "outbox/egress.h"
#include "processor/processor.h"
#include "queue/spool.h"
#include "watcher/ingress.h"

namespace cmpost {

// One Ingress and one Egress for each channel in the instance's scope, in the order of the
// settings, and the Egress of answers that name a directory. Connects to nothing yet; an Error is a
// channel that cannot work as it is set. What is given must outlive what is returned.
Result<std::vector<std::unique_ptr<Ingress>>> make_ingresses(Instance& instance, Spool& spool,
                                                             const Clock& steady);
Result<std::vector<std::unique_ptr<Egress>>> make_egresses(Instance& instance, const Clock& steady);

// Of a Processor that tells `ways` how its two parts do; they must outlive it.
ProcessorSettings settings_for(std::size_t workers, WayBook& ways);

}  // namespace cmpost
