// What is to be said of a channel beside its queue.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace cmpost {

// Numbered batches that are missing or torn, a sentence each: "batch 17 missing, 18 complete". A
// memory that cannot be read is one too.
std::vector<std::string> batch_complaints(const ChannelSettings& channel);
// The same of a courier's bundles; those of ours that were not written, that are overdue, or
// that later ones have passed.
std::vector<std::string> bundle_complaints(const ChannelSettings& channel, Time now);

}  // namespace cmpost
