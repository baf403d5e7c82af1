// The row of SFTP in channel_kinds.cpp.
#pragma once

#include "app/instance/channel_kinds.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_sftp_ingress(const Surroundings& around,
                                                   const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_sftp_egress(const Surroundings& around,
                                                 const ChannelSettings& channel);
std::string sftp_host(const ChannelSettings& channel, Way way);

// Logs in at both servers of the channel and looks at both directories; changes nothing there.
Result<void> log_in_by_sftp(const ChannelSettings& channel);

// Writes a small hidden file into the directory of answers the way an answer is written, reads it
// back and removes it.
Result<std::string> write_a_probe(Instance& instance, const ChannelSettings& channel);

}  // namespace cmpost
