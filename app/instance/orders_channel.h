// What the program does with channels of kind = "orders".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/instance/channel_kinds.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_orders_ingress(const Surroundings& around,
                                                     const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_orders_egress(const Surroundings& around,
                                                   const ChannelSettings& channel);
std::vector<std::string> directories_of_orders(const ChannelSettings& channel);
std::vector<std::string> output_of_orders(const ChannelSettings& channel);

}  // namespace cmpost
