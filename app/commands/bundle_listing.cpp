#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands/bundle_commands.h"
#include "app/terminal/output.h"
#include "carrier/bundles/sent_bundles.h"
#include "outbox/bundle_export.h"
#include "watcher/media/bundle_import.h"

namespace cmpost {
namespace {

using nlohmann::json;

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
    if (one.passed || one.overdue || one.stays()) print_line(describe(one, outlook.sent, peer));
  }
  if (!outlook.sent.received.empty()) print_line(peer + " has " + outlook.sent.received);
  for (const auto& [name, stream] : outlook.received.streams()) {
    if (stream.complete.empty()) continue;
    print_line("received from " + peer + ": " + stream.complete.text() + " (stream " + name +
               ", the last " + to_iso8601(stream.last) + ")");
  }
  for (const auto& text : outlook.received.complaints(CarriedAs::bundle)) print_warning(text);
}

}  // namespace

Result<ExitCode> list_bundles(const BundleOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto channels, find_couriers(*instance, options.channel));
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

namespace {

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

}  // namespace

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

}  // namespace cmpost
