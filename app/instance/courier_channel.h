// The row of couriers in channel_kinds.cpp, and what the commands of bundles work with.
#pragma once

#include "app/instance/channel_kinds.h"
#include "carrier/bundles/bundle_inbox.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_courier_ingress(const Surroundings& around,
                                                      const ChannelSettings& channel);
Result<std::unique_ptr<Egress>> make_courier_egress(const Surroundings& around,
                                                    const ChannelSettings& channel);

// What bundles leave with: the credential that protects messages. An Error names the file.
Result<BundleSigner> load_bundle_signer(const Settings& settings);
// Who we are, whose bundles are taken, and with what they are opened.
Result<BundleParties> load_bundle_parties(const Settings& settings);
// For whom bundles of the channel are sealed; nullopt: they are open.
Result<std::optional<BundleSeal>> load_bundle_seal(const ChannelSettings& channel);

}  // namespace cmpost
