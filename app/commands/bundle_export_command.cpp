#include <nlohmann/json.hpp>

#include "app/commands/bundle_commands.h"
#include "app/instance/courier_channel.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "carrier/medium.h"
#include "outbox/bundle_export.h"
#include "processor/upstream_timers.h"
#include "watcher/media/bundle_import.h"

namespace cmpost {
namespace {

using nlohmann::json;

// What export, receipt and resend work with.
struct ExportDesk {
  const ChannelSettings* channel = nullptr;
  BundleSigner signer;
  std::optional<BundleSeal> seal;
  BundleTools tools(Instance& instance, JobQueue& replies) const {
    return {replies, instance.likely_clock(), instance.random(), signer, seal ? &*seal : nullptr};
  }
};

Result<ExportDesk> export_desk(Instance& instance, const std::string& name) {
  TRY(instance.refuse_open_secrets());
  ASSIGN_OR_RETURN(const auto* const channel, find_courier(instance, name));
  ASSIGN_OR_RETURN(auto signer, load_bundle_signer(instance.settings()));
  ASSIGN_OR_RETURN(auto seal, load_bundle_seal(*channel));
  return ExportDesk{channel, std::move(signer), std::move(seal)};
}

Result<BundleExport::Heard> heard_on(const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(const auto received, ReceivedBatches::read(received_bundles_file(channel)));
  auto heard = heard_of(received);
  return BundleExport::Heard{std::move(heard.received), std::move(heard.given_up)};
}

// Its id; empty where it cannot have one.
Result<std::string> medium_in(Instance& instance, const std::string& directory) {
  ASSIGN_OR_RETURN(const auto medium, find_medium({directory, {}}, &instance.random()));
  if (medium) return medium->id;
  return hold("there is no directory " + printable(directory), "is the medium mounted?");
}

json to_json(const ExportedBundle& one) {
  return {{"number", one.number},
          {"copy", one.copy},
          {"purpose", to_string(one.purpose)},
          {"messages", one.messages},
          {"files", one.files},
          {"octets", one.octets},
          {"there_already", one.there_already}};
}

std::string bundle_in_words(const ExportedBundle& one) {
  auto text = "bundle " + std::to_string(one.number) + ", copy " + std::to_string(one.copy) + ": ";
  if (one.messages > 0) {
    text += std::to_string(one.messages) +
            (one.purpose == BundlePurpose::requests ? " request" : " answer") +
            (one.messages == 1 ? "" : "s");
  } else {
    text += one.files == 0 ? "a receipt" : "no messages";
  }
  if (one.files > one.messages) {
    text += ", " + std::to_string(one.files - one.messages) + " other files";
  }
  return text + ", " + std::to_string(one.octets) + " octets";
}

Result<ExitCode> write_bundles(BundleExport& bundles, Instance& instance,
                               const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto medium, medium_in(instance, options.directory));
  ASSIGN_OR_RETURN(const auto written, bundles.write(options.directory, medium));
  TRY(bundles.purge());
  for (const auto& remark : bundles.remarks()) print_warning(remark);
  if (common.json) {
    auto rows = json::array();
    for (const auto& one : written) rows.push_back(to_json(one));
    print_json(rows);
  } else if (!common.quiet) {
    for (const auto& one : written) print_line(bundle_in_words(one));
    if (written.empty()) print_line("nothing waits for the courier");
  }
  return bundles.remarks().empty() ? ExitCode::ok : ExitCode::partly;
}

// What an RA has collected for a batch leaves with the courier.
Result<void> wrap_for(Instance& instance, const ChannelSettings& channel, Spool& spool) {
  if (channel.direction != Direction::upstream) return {};
  ASSIGN_OR_RETURN(const auto services, instance.services());
  ASSIGN_OR_RETURN(auto* const ledger, instance.ledger());
  TRY(wrap_collected(*ledger, services, services.channels.at(channel.name)));
  return tend_upstream(spool, *ledger, services);
}

// Who has carried what to where; before it is done.
Result<void> record_bundles(Instance& instance, std::string_view event,
                            const ChannelSettings& channel, const std::string& directory) {
  return record_act(instance, event, {{"channel", channel.name}, {"directory", directory}});
}

}  // namespace

Result<ExitCode> export_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto desk, export_desk(*instance, options.channel));
  TRY(medium_in(*instance, options.directory));  // before anything gets a number
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  TRY(record_bundles(*instance, "bundle.exported", *desk.channel, options.directory));
  TRY(wrap_for(*instance, *desk.channel, *spool));
  ASSIGN_OR_RETURN(const auto heard, heard_on(*desk.channel));
  const auto tools = desk.tools(*instance, spool->replies());
  ASSIGN_OR_RETURN(auto bundles, BundleExport::begin(*desk.channel, tools));
  TRY(bundles.make(heard));
  return write_bundles(bundles, *instance, options, common);
}

Result<ExitCode> write_receipt(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto desk, export_desk(*instance, options.channel));
  TRY(medium_in(*instance, options.directory));
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto heard, heard_on(*desk.channel));
  if (heard.received.empty()) {
    return hold("nothing has come from " + desk.channel->courier()->peer + " yet",
                "`cmpost bundle import DIR` takes it");
  }
  TRY(record_bundles(*instance, "bundle.exported", *desk.channel, options.directory));
  const auto tools = desk.tools(*instance, spool->replies());
  ASSIGN_OR_RETURN(auto bundles, BundleExport::begin(*desk.channel, tools));
  TRY(bundles.make_receipt(heard));
  return write_bundles(bundles, *instance, options, common);
}

Result<ExitCode> resend_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto range, bundle_range(options.range));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto desk, export_desk(*instance, options.channel));
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  TRY(record_act(*instance, "bundle.resent",
                 {{"channel", desk.channel->name}, {"numbers", to_string(range)}}));
  const auto tools = desk.tools(*instance, spool->replies());
  ASSIGN_OR_RETURN(auto bundles, BundleExport::begin(*desk.channel, tools));
  ASSIGN_OR_RETURN(const auto numbers, bundles.want_again(range));
  if (numbers.empty()) {
    return hold("there is no bundle " + to_string(range) + " of channel " + desk.channel->name,
                "bundles that were received are kept for [bundle] keep");
  }
  NumberRanges asked;
  asked.add(range);
  const auto exit_code = numbers.text() == asked.text() ? ExitCode::ok : ExitCode::partly;
  if (options.directory.empty()) {
    if (!common.quiet) {
      print_line("the next `cmpost bundle export` writes " + bundles_in_words(numbers) + " again");
    }
    return exit_code;
  }
  ASSIGN_OR_RETURN(const auto written, write_bundles(bundles, *instance, options, common));
  return written == ExitCode::ok ? exit_code : written;
}

}  // namespace cmpost
