// What the program does with channels of kind = "http".
#pragma once

#include <memory>
#include <string>

#include "app/instance/channel_kinds.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_http_ingress(const Surroundings& around,
                                                   const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_http_egress(const Surroundings& around,
                                                 const ChannelSettings& channel);
std::string http_host(const ChannelSettings& channel, Way way);
// Connects, with TLS where the URL says so. CMP has no question that says nothing, and a server may
// count whatever else it is asked, so that nothing is.
Result<void> log_in_by_http(const ChannelSettings& channel);
Result<std::string> connect_for_a_test(Instance& instance, const ChannelSettings& channel);

}  // namespace cmpost
