// From one table of the file to one struct. What concerns several tables is in load.cpp.
#pragma once

#include "config/section.h"
#include "config/settings.h"

namespace cmpost {

InstanceSettings read_instance(Section table);
CaSettings read_ca(Section table);
RaSettings read_ra(Section table);
ProfileSettings read_profile(Section table);
ChannelSettings read_channel(Section table);
RunSettings read_run(Section table);

}  // namespace cmpost
