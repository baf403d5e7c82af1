#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands/bundle_commands.h"
#include "app/instance/courier_channel.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "carrier/bundles/bundle_copy.h"
#include "outbox/bundle_export.h"
#include "watcher/media/bundle_import.h"

namespace cmpost {
namespace {

using nlohmann::json;

}  // namespace

Result<ExitCode> skip_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto range, bundle_range(options.range));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel, find_courier(*instance, options.channel));
  TRY(record_act(*instance, "bundle.skipped",
                 {{"channel", channel->name}, {"numbers", to_string(range)}}));
  ASSIGN_OR_RETURN(const auto lock, lock_received_bundles(*channel));
  ASSIGN_OR_RETURN(auto received, ReceivedBatches::read(received_bundles_file(*channel)));
  ASSIGN_OR_RETURN(const auto skipped, received.skip(range));
  if (skipped.empty()) return hold("no bundle of " + to_string(range) + " is missing");
  if (!common.quiet) {
    print_line(bundles_in_words(skipped) + " of channel " + channel->name +
               " given up; the next bundle tells " + channel->courier()->peer);
  }
  return ExitCode::ok;
}

namespace {

json to_json(const ImportedBundle& one) {
  return {
      {"stream", one.stream},     {"number", one.number},       {"result", to_string(one.what)},
      {"channel", one.channel},   {"from", one.from},           {"purpose", to_string(one.purpose)},
      {"messages", one.messages}, {"put_aside", one.put_aside}, {"text", one.text},
      {"hint", one.hint},         {"mistakes", one.mistakes},   {"remarks", one.remarks}};
}

std::string bundle_in_words(const ImportedBundle& one) {
  using What = ImportedBundle::What;
  const auto name = "bundle " + std::to_string(one.number) +
                    (one.from.empty() ? " of stream " + one.stream : " from " + one.from);
  switch (one.what) {
    case What::taken:
      return name + ": " + std::to_string(one.messages) +
             (one.messages == 1 ? " message" : " messages") + " taken" +
             (one.put_aside == 0 ? ""
                                 : ", " + std::to_string(one.put_aside) +
                                       " of them put aside (`cmpost queue list "
                                       "--state held`)");
    case What::known:
      return name + ": had come before";
    case What::torn:
      return name + " torn: " + one.text;
    case What::refused:
      return name + " refused: " + one.text;
    case What::ours:
      return name + ": our own";
    case What::for_others:
      return name + ": not read, " + one.text;
    case What::failed:
      return name + " failed: " + one.text;
  }
  return name;
}

void print_imported(const ImportedBundle& one, const CommonOptions& common) {
  if (!one.complains()) {
    if (!common.quiet) print_line(bundle_in_words(one));
    for (const auto& remark : one.remarks) print_warning(remark);
    return;
  }
  print_warning(bundle_in_words(one));
  for (const auto& mistake : one.mistakes) print_warning("  " + mistake);
  for (const auto& remark : one.remarks) print_warning("  " + remark);
  if (!one.hint.empty()) print_warning("  " + one.hint);
}

// What is missing now, for the one who stands there with the medium.
void print_gaps(const std::vector<const ChannelSettings*>& channels) {
  for (const auto* channel : channels) {
    const auto received = ReceivedBatches::read(received_bundles_file(*channel));
    if (!received) continue;
    for (const auto& text : received->complaints(CarriedAs::bundle)) {
      print_warning("channel " + channel->name + ": " + text);
    }
  }
}

ExitCode exit_code_of_import(const std::vector<ImportedBundle>& all) {
  using What = ImportedBundle::What;
  const auto any = [&](const auto& is) { return std::ranges::any_of(all, is); };
  const bool taken =
      any([](const auto& one) { return one.what == What::taken || one.what == What::known; });
  const bool wrong = any([](const auto& one) { return one.complains() || one.put_aside > 0; });
  const bool foreign = any([](const auto& one) { return one.what == What::for_others; });
  if (taken) return wrong ? ExitCode::partly : ExitCode::ok;
  return wrong || foreign ? ExitCode::failed : ExitCode::ok;
}

}  // namespace

Result<ExitCode> import_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  ASSIGN_OR_RETURN(const auto channels, find_couriers(*instance, options.channel));
  ASSIGN_OR_RETURN(auto parties, load_bundle_parties(instance->settings()));
  std::erase_if(parties.peers, [&](const BundlePeer& peer) {
    return std::ranges::none_of(
        channels, [&](const auto* channel) { return channel->courier()->peer == peer.name(); });
  });
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  TRY(record_act(*instance, "bundle.imported", {{"directory", options.directory}}));
  const SteadyClock steady;
  ASSIGN_OR_RETURN(auto import, BundleImport::begin(channels, std::move(parties), spool->requests(),
                                                    instance->likely_clock(), steady));
  ASSIGN_OR_RETURN(const auto all, import.take(options.directory));
  if (all.empty()) {
    return hold("there is no bundle in " + printable(options.directory),
                "files of bundles are named STREAM-NUMBER-COPY-NAME");
  }
  if (common.json) {
    auto rows = json::array();
    for (const auto& one : all) rows.push_back(to_json(one));
    print_json(rows);
  } else {
    for (const auto& one : all) print_imported(one, common);
    print_gaps(channels);
  }
  return exit_code_of_import(all);
}

namespace {

// Why a bundle may be removed from a medium; empty: it may not.
Result<bool> may_be_cleaned(const std::vector<const ChannelSettings*>& channels,
                            const std::string& stream, std::uint64_t number,
                            const std::vector<Sha256>& manifests) {
  for (const auto* channel : channels) {
    ASSIGN_OR_RETURN(const auto received, ReceivedBatches::read(received_bundles_file(*channel)));
    if (received.has(stream, number)) {
      return std::ranges::all_of(manifests, [&](const Sha256& hash) {
        return received.same(stream, number, hash) != ReceivedBatches::Same::no;
      });
    }
    ASSIGN_OR_RETURN(const auto archive, BundleArchive::look_into(bundle_archive_of(*channel)));
    if (!archive) continue;
    ASSIGN_OR_RETURN(const auto receipts, archive->receipts());
    const auto had = receipts.received.find(stream);
    if (had != receipts.received.end() && had->second.contains(number)) return true;
  }
  return false;
}

// What came sealed is known by what is inside.
Result<std::optional<BundleOpener>> opener_of(const Instance& instance) {
  const auto& bundle = instance.settings().bundle;
  if (!bundle || bundle->seal_key.empty()) return std::optional<BundleOpener>();
  TRY(instance.refuse_open_secrets());
  ASSIGN_OR_RETURN(auto parties, load_bundle_parties(instance.settings()));
  return std::move(parties.opener);
}

}  // namespace

Result<ExitCode> clean_medium(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto channels, find_couriers(*instance, options.channel));
  ASSIGN_OR_RETURN(const auto inbox, BundleInbox::open(options.directory));
  ASSIGN_OR_RETURN(const auto opener, opener_of(*instance));
  auto removed = json::array(), left = json::array();
  std::vector<std::pair<std::string, std::uint64_t>> known;
  for (const auto& [key, arrived] : inbox.all()) {
    std::vector<Sha256> manifests;
    for (const auto& [copy, name] : arrived.manifests) {
      manifests.push_back(inbox.hash_of(arrived, name, opener).value_or(Sha256{}));
    }
    ASSIGN_OR_RETURN(const bool may, may_be_cleaned(channels, key.first, key.second, manifests));
    if (may) known.push_back(key);
    (may ? removed : left).push_back({{"stream", key.first}, {"number", key.second}});
  }
  if (!known.empty()) {
    TRY(record_act(*instance, "bundle.cleaned",
                   {{"directory", options.directory}, {"bundles", removed}}));
  }
  for (const auto& [stream, number] : known) {
    TRY(remove_copies(options.directory, stream, number));
  }
  if (common.json) {
    print_json({{"removed", removed}, {"left", left}});
  } else if (!common.quiet) {
    for (const auto& [stream, number] : known) {
      print_line("bundle " + std::to_string(number) + " of stream " + stream + " removed");
    }
    for (const auto& one : left) {
      print_line("bundle " + std::to_string(one["number"].get<std::uint64_t>()) + " of stream " +
                 one["stream"].get<std::string>() + " left: it is not known to have come");
    }
    if (inbox.all().empty()) print_line("there is no bundle in " + options.directory);
  }
  return ExitCode::ok;
}

}  // namespace cmpost
