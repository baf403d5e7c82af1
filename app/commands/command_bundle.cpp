#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/courier_channel.h"
#include "app/instance/operator_act.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "carrier/bundles/bundle_copy.h"
#include "carrier/bundles/sent_bundles.h"
#include "carrier/medium.h"
#include "outbox/bundle_export.h"
#include "watcher/media/bundle_import.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct BundleOptions {
  std::string directory;
  std::string range;
  std::string channel;
  std::uint64_t number = 0;
};

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

// Who has carried what to where; before it is done.
Result<void> record_bundles(Instance& instance, std::string_view event,
                            const ChannelSettings& channel, const std::string& directory) {
  return record_act(instance, event, {{"channel", channel.name}, {"directory", directory}});
}

Result<ExitCode> export_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto desk, export_desk(*instance, options.channel));
  TRY(medium_in(*instance, options.directory));  // before anything gets a number
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  TRY(record_bundles(*instance, "bundle.exported", *desk.channel, options.directory));
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

Result<ExitCode> skip_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto range, bundle_range(options.range));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel, find_courier(*instance, options.channel));
  ASSIGN_OR_RETURN(auto received, ReceivedBatches::read(received_bundles_file(*channel)));
  TRY(record_act(*instance, "bundle.skipped",
                 {{"channel", channel->name}, {"numbers", to_string(range)}}));
  ASSIGN_OR_RETURN(const auto skipped, received.skip(range));
  if (skipped.empty()) return hold("no bundle of " + to_string(range) + " is missing");
  if (!common.quiet) {
    print_line(bundles_in_words(skipped) + " of channel " + channel->name +
               " given up; the next bundle tells " + channel->courier()->peer);
  }
  return ExitCode::ok;
}

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

Result<ExitCode> import_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(instance->refuse_open_secrets());
  auto channels = courier_channels(instance->settings());
  if (!options.channel.empty() || channels.empty()) {
    ASSIGN_OR_RETURN(const auto* const only, find_courier(*instance, options.channel));
    channels = {only};
  }
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

json to_json(const SentBundle& one) {
  auto copies = json::array();
  for (const auto& copy : one.copies.written) {
    copies.push_back({{"copy", copy.copy},
                      {"written", to_iso8601(copy.written)},
                      {"medium", copy.medium},
                      {"directory", copy.directory}});
  }
  std::uint64_t octets = 0;
  std::size_t messages = 0;
  for (const auto& file : one.manifest.files) {
    octets += file.size;
    messages += is_message(file.kind) ? 1 : 0;
  }
  return {{"number", one.manifest.number},
          {"stream", one.manifest.stream},
          {"state", to_string(one.state)},
          {"overdue", one.overdue},
          {"passed", one.passed},
          {"to", one.manifest.to},
          {"purpose", to_string(one.manifest.purpose)},
          {"created", to_iso8601(one.manifest.created)},
          {"messages", messages},
          {"files", one.manifest.files.size()},
          {"octets", octets},
          {"sealed", !one.manifest.sealed.empty()},
          {"wanted", one.copies.wanted},
          {"copies", std::move(copies)}};
}

struct BundleOutlook {
  const ChannelSettings* channel = nullptr;
  SentBundles sent;
  ReceivedBatches received;
  std::size_t waiting = 0;  // for the next export
};

Result<BundleOutlook> outlook_of(Instance& instance, const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(auto received, ReceivedBatches::read(received_bundles_file(channel)));
  BundleOutlook outlook{&channel, {}, std::move(received), 0};
  ASSIGN_OR_RETURN(const auto archive, BundleArchive::look_into(bundle_archive_of(channel)));
  if (archive) {
    ASSIGN_OR_RETURN(outlook.sent, look_at_sent(*archive, channel.courier()->bundle.receipt_within,
                                                instance.clock().now()));
  }
  ASSIGN_OR_RETURN(const auto spool, instance.look_into_spool());
  ASSIGN_OR_RETURN(const auto counts, spool->replies().counts_of(channel.name));
  outlook.waiting = counts.waiting + counts.active + counts.deferred;
  return outlook;
}

json to_json(const BundleOutlook& outlook) {
  auto sent = json::array(), received = json::array();
  for (const auto& one : outlook.sent.all) sent.push_back(to_json(one));
  for (const auto& [name, stream] : outlook.received.streams()) {
    auto missing = json::array();
    auto known = stream.complete;
    for (const auto& part : stream.skipped.parts()) known.add(part);
    for (const auto& gap : known.gaps()) missing.push_back(to_string(gap));
    auto torn = json::object();
    for (const auto& [number, what] : stream.torn) torn[std::to_string(number)] = what;
    received.push_back({{"stream", name},
                        {"complete", stream.complete.text()},
                        {"given_up", stream.skipped.text()},
                        {"missing", std::move(missing)},
                        {"torn", std::move(torn)},
                        {"last", to_iso8601(stream.last)}});
  }
  const auto& heard = outlook.sent.heard;
  return {{"channel", outlook.channel->name},
          {"peer", outlook.channel->courier()->peer},
          {"waiting", outlook.waiting},
          {"peer_has", outlook.sent.received},
          {"heard", heard ? json(to_iso8601(*heard)) : json()},
          {"sent", std::move(sent)},
          {"received", std::move(received)}};
}

std::string state_in_words(const SentBundle& one) {
  auto text = std::string(to_string(one.state));
  if (one.passed) return text + ", passed over";
  return one.overdue ? text + ", overdue" : text;
}

void print_outlook(const BundleOutlook& outlook) {
  const auto& peer = outlook.channel->courier()->peer;
  print_line("channel " + outlook.channel->name + " to " + peer + ": " +
             std::to_string(outlook.waiting) + " wait for the courier");
  Table table({"number", "state", "for", "messages", "files", "made", "copies", "last written"});
  for (const auto& one : outlook.sent.all) {
    const auto& manifest = one.manifest;
    const auto messages = std::ranges::count_if(
        manifest.files, [](const BundleFile& file) { return is_message(file.kind); });
    const auto& written = one.copies.written;
    table.add({std::to_string(manifest.number), state_in_words(one),
               std::string(to_string(manifest.purpose)), std::to_string(messages),
               std::to_string(manifest.files.size()), to_iso8601(manifest.created),
               std::to_string(written.size()) + "/" + std::to_string(one.copies.wanted),
               written.empty() ? "-"
                               : to_iso8601(written.back().written) + " " +
                                     (written.back().medium.empty() ? written.back().directory
                                                                    : written.back().medium)});
  }
  table.print("no bundle was made yet");
  for (const auto& one : outlook.sent.all) {
    if (one.passed || one.overdue) print_line(describe(one, outlook.sent, peer));
  }
  if (!outlook.sent.received.empty()) print_line(peer + " has " + outlook.sent.received);
  for (const auto& [name, stream] : outlook.received.streams()) {
    if (stream.complete.empty()) continue;
    print_line("received from " + peer + ": " + stream.complete.text() + " (stream " + name +
               ", the last " + to_iso8601(stream.last) + ")");
  }
  for (const auto& text : outlook.received.complaints(CarriedAs::bundle)) print_warning(text);
}

Result<ExitCode> list_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  auto channels = courier_channels(instance->settings());
  if (!options.channel.empty() || channels.empty()) {
    ASSIGN_OR_RETURN(const auto* const only, find_courier(*instance, options.channel));
    channels = {only};
  }
  auto rows = json::array();
  for (const auto* channel : channels) {
    ASSIGN_OR_RETURN(const auto outlook, outlook_of(*instance, *channel));
    if (common.json) {
      rows.push_back(to_json(outlook));
    } else {
      print_outlook(outlook);
    }
  }
  if (common.json) print_json(rows);
  return ExitCode::ok;
}

// The job's own words of each message in it.
json file_json(const BundleFile& file, const std::string& id, JobQueue& replies) {
  json row = {{"name", file.name},
              {"kind", to_string(file.kind)},
              {"octets", file.size},
              {"sha256", to_hex(file.sha256)},
              {"job", id}};
  const auto parsed = JobId::from_text(id);
  const auto job = parsed ? replies.find(*parsed) : Result<std::optional<JobStatus>>();
  if (job && *job) {
    row["body"] = (*job)->envelope.body;
    row["tid"] = (*job)->envelope.tid;
    row["source"] = (*job)->envelope.source;
  }
  return row;
}

Result<ExitCode> show_bundle(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel, find_courier(*instance, options.channel));
  ASSIGN_OR_RETURN(const auto outlook, outlook_of(*instance, *channel));
  const auto found = std::ranges::find_if(outlook.sent.all, [&](const SentBundle& one) {
    return one.manifest.number == options.number;
  });
  if (found == outlook.sent.all.end()) {
    return hold(
        "there is no bundle " + std::to_string(options.number) + " of channel " + channel->name,
        "`cmpost bundle list` shows those that are kept");
  }
  ASSIGN_OR_RETURN(const auto archive, BundleArchive::look_into(bundle_archive_of(*channel)));
  ASSIGN_OR_RETURN(const auto bundle, archive->read(options.number));
  ASSIGN_OR_RETURN(const auto spool, instance->look_into_spool());
  auto files = json::array();
  for (std::size_t i = 0; i < bundle.manifest.files.size(); ++i) {
    files.push_back(file_json(bundle.manifest.files[i], bundle.ids[i], spool->replies()));
  }
  if (common.json) {
    auto value = to_json(*found);
    value["contents"] = std::move(files);
    value["archived"] = archive->directory_of(options.number);
    print_json(value);
    return ExitCode::ok;
  }
  print_line(describe(*found, outlook.sent, channel->courier()->peer));
  print_line("state " + state_in_words(*found) + ", stream " + bundle.manifest.stream +
             (bundle.manifest.sealed.empty() ? "" : ", sealed") + ", kept in " +
             archive->directory_of(options.number));
  for (const auto& copy : found->copies.written) {
    print_line("copy " + std::to_string(copy.copy) + ": " + to_iso8601(copy.written) + " " +
               copy.directory + (copy.medium.empty() ? "" : " (medium " + copy.medium + ")"));
  }
  Table table({"name", "kind", "octets", "body", "transaction", "of"});
  for (const auto& file : files) {
    table.add({file["name"], file["kind"], std::to_string(file["octets"].get<std::uint64_t>()),
               file.value("body", ""), file.value("tid", ""), file.value("source", "")});
  }
  table.print("no files");
  return ExitCode::ok;
}

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

Result<ExitCode> clean_medium(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  const auto channels = courier_channels(instance->settings());
  if (channels.empty()) TRY(find_courier(*instance, {}));
  ASSIGN_OR_RETURN(const auto inbox, BundleInbox::open(options.directory));
  auto removed = json::array(), left = json::array();
  std::vector<std::pair<std::string, std::uint64_t>> known;
  for (const auto& [key, arrived] : inbox.all()) {
    std::vector<Sha256> manifests;
    for (const auto& [copy, name] : arrived.manifests) {
      const auto octets = read_file(options.directory + "/" + name, kLargestManifest);
      manifests.push_back(octets ? sha256(*octets) : Sha256{});
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
