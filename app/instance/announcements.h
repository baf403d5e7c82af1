// What this CA announces by itself, and by command.
#pragma once

#include "app/instance/instance.h"
#include "processor/admission/announcement.h"

namespace cmpost {

// Puts what the channels want announced and has not been announced yet into the queue of replies:
// the newest CRL and its delta, roll-overs of the CA key, revocations that others than the holder
// asked for. Each goes out once, whatever is killed when. Cheap when nothing is new.
Result<void> announce_news(Instance& instance);
// The CRLs alone: called for each that is made, so that none is passed over.
Result<void> announce_crls(Instance& instance);

// Puts one announcement for one channel into the queue of replies, by hand. False: it was out.
Result<bool> announce(Instance& instance, const Announcement& announcement,
                      const ChannelSettings& channel);

}  // namespace cmpost
