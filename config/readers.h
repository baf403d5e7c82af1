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
// The keys of a mail channel; the caller finishes the table.
MailSettings read_mail_settings(Section& table);

}  // namespace cmpost
