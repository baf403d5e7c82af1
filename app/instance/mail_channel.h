// The row of mail in channel_kinds.cpp.
#pragma once

#include "app/instance/channel_kinds.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_mail_ingress(const Surroundings& around,
                                                   const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_mail_egress(const Surroundings& around,
                                                 const ChannelSettings& channel);
std::string mail_host(const ChannelSettings& channel, Way way);

// Logs in at both servers of the channel; changes nothing there.
Result<void> log_in_by_mail(const ChannelSettings& channel);

// Sends a mail to the channel's own address and waits for it, at most a minute; it ends in the
// folder for mails that are done.
Result<std::string> send_to_itself(Instance& instance, const ChannelSettings& channel);

}  // namespace cmpost
