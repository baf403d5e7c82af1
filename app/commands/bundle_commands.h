// What the commands of bundles have in common; command_bundle.cpp puts them together.
#pragma once

#include <vector>

#include "app/instance/instance.h"
#include "carrier/number_ranges.h"

namespace cmpost {

struct BundleOptions {
  std::string directory;
  std::string range;
  std::string channel;
  std::uint64_t number = 0;
};

std::vector<const ChannelSettings*> courier_channels(const Settings& settings);
// The channel that is named, or the only one of a courier.
Result<const ChannelSettings*> find_courier(const Instance& instance, const std::string& name);
// Those that are meant: the one that is named, or all.
Result<std::vector<const ChannelSettings*>> find_couriers(const Instance& instance,
                                                          const std::string& name);
// "17", "17-19"
Result<NumberRange> bundle_range(const std::string& text);
// "bundle 17", "bundles 17-19"
std::string bundles_in_words(const NumberRanges& numbers);

// bundle_export_command.cpp
Result<ExitCode> export_bundles(const BundleOptions& options, const CommonOptions& common);
Result<ExitCode> write_receipt(const BundleOptions& options, const CommonOptions& common);
Result<ExitCode> resend_bundles(const BundleOptions& options, const CommonOptions& common);
// bundle_import_command.cpp
Result<ExitCode> import_bundles(const BundleOptions& options, const CommonOptions& common);
Result<ExitCode> skip_bundles(const BundleOptions& options, const CommonOptions& common);
Result<ExitCode> clean_medium(const BundleOptions& options, const CommonOptions& common);
// bundle_listing.cpp
Result<ExitCode> list_bundles(const BundleOptions& options, const CommonOptions& common);
Result<ExitCode> show_bundle(const BundleOptions& options, const CommonOptions& common);

}  // namespace cmpost
