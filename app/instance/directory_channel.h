// The row of directories in channel_kinds.cpp.
#pragma once

#include "app/instance/channel_kinds.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_directory_ingress(const Surroundings& around,
                                                        const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_directory_egress(const Surroundings& around,
                                                      const ChannelSettings& channel);
std::vector<std::string> directories_of(const ChannelSettings& channel);
std::vector<std::string> output_of(const ChannelSettings& channel);

}  // namespace cmpost
