#include "app/commands/bundle_commands.h"
#include "app/commands/commands.h"
#include "app/terminal/named.h"

namespace cmpost {

std::vector<const ChannelSettings*> courier_channels(const Settings& settings) {
  std::vector<const ChannelSettings*> found;
  for (const auto& channel : settings.channels) {
    if (channel.courier() != nullptr) found.push_back(&channel);
  }
  return found;
}

// The channel that is named, or the only one of a courier.
Result<const ChannelSettings*> find_courier(const Instance& instance, const std::string& name) {
  if (!name.empty()) {
    ASSIGN_OR_RETURN(const auto* const named, channel_named(instance.settings(), name));
    if (named->courier() != nullptr) return named;
    return wrong_usage("channel " + printable(name, 60) + " is not that of a courier",
                       "kind = \"courier\" in its settings makes it one");
  }
  const auto all = courier_channels(instance.settings());
  if (all.size() == 1) return all.front();
  if (all.empty()) {
    return hold("no channel is that of a courier",
                "[[channel]] kind = \"courier\", and [bundle], see docs/air-gap.md");
  }
  return wrong_usage("several channels are those of couriers", "choose one with --channel");
}

Result<NumberRange> bundle_range(const std::string& text) {
  const auto ranges = NumberRanges::parse(text);
  if (ranges && ranges->parts().size() == 1) return ranges->parts().front();
  return wrong_usage("\"" + printable(text, 60) + "\" is no number of a bundle",
                     "such as 17, or 17-19 for several");
}

std::string bundles_in_words(const NumberRanges& numbers) {
  const auto parts = numbers.parts();
  const bool one = parts.size() == 1 && parts[0].first == parts[0].last;
  return (one ? "bundle " : "bundles ") + numbers.text();
}

Result<std::vector<const ChannelSettings*>> find_couriers(const Instance& instance,
                                                          const std::string& name) {
  auto all = courier_channels(instance.settings());
  if (name.empty() && !all.empty()) return all;
  ASSIGN_OR_RETURN(const auto* const only, find_courier(instance, name));
  return std::vector<const ChannelSettings*>{only};
}

namespace {

using BundleAction = Result<ExitCode> (*)(const BundleOptions&, const CommonOptions&);
enum class Takes { nothing, directory, to_directory, range, range_to_directory, number };

void add_bundle_command(CommandLine line, CLI::App& parent, const char* name, const char* help,
                        Takes takes, BundleAction run) {
  auto* command = parent.add_subcommand(name, help);
  auto options = std::make_shared<BundleOptions>();
  if (takes == Takes::directory) {
    command->add_option("DIR", options->directory, "a directory of the medium")->required();
  }
  if (takes == Takes::to_directory) {
    command->add_option("--to", options->directory, "a directory of the medium")->required();
  }
  if (takes == Takes::range || takes == Takes::range_to_directory) {
    command->add_option("NUMBERS", options->range, "a number, or the first and the last: 17-19")
        ->required();
  }
  if (takes == Takes::range_to_directory) {
    command->add_option("--to", options->directory,
                        "a directory of the medium; without it the next export writes them");
  }
  if (takes == Takes::number) {
    command->add_option("NUMBER", options->number, "of a bundle of ours")->required();
  }
  command->add_option("--channel", options->channel, "when there are several");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return run(*options, *common); }; });
}

}  // namespace

void add_bundle(CommandLine line) {
  auto* bundle = line.app.add_subcommand(
      "bundle",
      "numbered, signed sets of files that people carry (channels with kind = \"courier\")");
  bundle->require_subcommand(1);
  add_bundle_command(line, *bundle, "export",
                     "make a bundle of all that waits, and write it to a medium", Takes::directory,
                     export_bundles);
  add_bundle_command(line, *bundle, "import", "take in what a courier has brought",
                     Takes::directory, import_bundles);
  add_bundle_command(line, *bundle, "list", "what was sent and received, and what is missing",
                     Takes::nothing, list_bundles);
  add_bundle_command(line, *bundle, "show", "one bundle of ours and its files", Takes::number,
                     show_bundle);
  add_bundle_command(line, *bundle, "receipt",
                     "write a bundle without messages that tells what has come",
                     Takes::to_directory, write_receipt);
  add_bundle_command(line, *bundle, "resend", "write bundles again, octet for octet",
                     Takes::range_to_directory, resend_bundles);
  add_bundle_command(line, *bundle, "skip", "wait no longer for bundles that are missing",
                     Takes::range, skip_bundles);
  add_bundle_command(line, *bundle, "clean",
                     "remove from a medium the bundles that are known to have come",
                     Takes::directory, clean_medium);
}

}  // namespace cmpost
