#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "carrier/received_batches.h"
#include "outbox/one_way_egress.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {
namespace {

struct BatchOptions {
  std::string range;
  std::string channel;
};

Result<NumberRange> read_range(const std::string& text) {
  const auto ranges = NumberRanges::parse(text);
  if (ranges && ranges->parts().size() == 1) return ranges->parts().front();
  return wrong_usage("\"" + printable(text, 60) + "\" is no number of a batch",
                     "such as 17, or 17-19 for several");
}

// The channel that is named, or the only one that `fits`.
Result<const ChannelSettings*> find_batch_channel(const Instance& instance, const std::string& name,
                                                  bool DirectorySettings::*fits) {
  if (!name.empty()) TRY(channel_named(instance.settings(), name));
  std::vector<const ChannelSettings*> found;
  for (const auto& channel : instance.settings().channels) {
    const bool wanted = name.empty() || channel.name == name;
    const auto* own = channel.directory();
    if (wanted && own != nullptr && own->*fits) {
      found.push_back(&channel);
    }
  }
  const std::string direction = fits == &DirectorySettings::one_way_out ? "out" : "in";
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return hold(name.empty()
                    ? "no channel has numbered batches " + direction
                    : "channel " + printable(name, 60) + " has no numbered batches " + direction,
                "one_way = \"" + direction + "\" in its settings makes them");
  }
  return hold("several channels have numbered batches " + direction, "choose one with --channel");
}

std::string in_text(const NumberRanges& numbers) {
  return (numbers.parts().size() == 1 && numbers.parts()[0].first == numbers.parts()[0].last
              ? "batch "
              : "batches ") +
         numbers.text();
}

Result<ExitCode> resend(const BatchOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto range, read_range(options.range));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel,
                   find_batch_channel(*instance, options.channel, &DirectorySettings::one_way_out));
  BatchSender sender(batch_sender_settings(*channel), instance->clock(), instance->random());
  TRY(record_act(*instance, "batch.resent",
                 {{"channel", channel->name}, {"numbers", to_string(range)}}));
  ASSIGN_OR_RETURN(const auto numbers, sender.want_again(range));
  if (numbers.empty()) {
    return hold("there is no batch " + to_string(range) + " of channel " + channel->name,
                "batches are kept for batch_keep");
  }
  auto emitted = sender.emit();
  if (!emitted) {
    return failure(Error{emitted.error().recovery,
                         in_text(numbers) + " cannot be written now: " + emitted.error().what,
                         "`cmpost serve` writes them as soon as it can"});
  }
  if (!common.quiet)
    print_line(in_text(numbers) + " of channel " + channel->name + " written again");
  NumberRanges asked;
  asked.add(range);
  return numbers.text() == asked.text() ? ExitCode::ok : ExitCode::partly;
}

Result<ExitCode> skip(const BatchOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto range, read_range(options.range));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel,
                   find_batch_channel(*instance, options.channel, &DirectorySettings::one_way_in));
  ASSIGN_OR_RETURN(auto received, ReceivedBatches::read(received_file(*channel)));
  TRY(record_act(*instance, "batch.skipped",
                 {{"channel", channel->name}, {"numbers", to_string(range)}}));
  ASSIGN_OR_RETURN(const auto skipped, received.skip(range));
  if (skipped.empty()) return hold("no batch of " + to_string(range) + " is missing");
  if (!common.quiet) print_line(in_text(skipped) + " of channel " + channel->name + " given up");
  return ExitCode::ok;
}

using BatchAction = Result<ExitCode> (*)(const BatchOptions&, const CommonOptions&);

void add_batch_command(CommandLine line, CLI::App& parent, const char* name, const char* help,
                       BatchAction run) {
  auto* command = parent.add_subcommand(name, help);
  auto options = std::make_shared<BatchOptions>();
  command->add_option("NUMBERS", options->range, "a number, or the first and the last: 17-19")
      ->required();
  command->add_option("--channel", options->channel, "when there are several");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return run(*options, *common); }; });
}

}  // namespace

void add_resend(CommandLine line) {
  add_batch_command(line, line.app, "resend", "write numbered batches again (one-way channels)",
                    resend);
  add_batch_command(line, line.app, "skip", "wait no longer for numbered batches that are missing",
                    skip);
}

}  // namespace cmpost
