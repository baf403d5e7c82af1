#include <nlohmann/json.hpp>

#include "app/instance/announcements.h"
#include "app/instance/list_options.h"
#include "app/instance/operator_act.h"
#include "app/records/certificate_search.h"
#include "app/records/record_commands.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "cmp/inspect/inspect.h"
#include "config/text/units.h"
#include "processor/transaction/announcement_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

struct AnnouncementOptions {
  std::string channel, serial, at;
  ListOptions list;
  std::int64_t id = 0, pvno = kCmp2021;
  bool der = false;
};

Result<ExitCode> send(Instance& instance, const AnnouncementOptions& options,
                      const Announcement& announcement, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto* const channel, channel_named(instance.settings(), options.channel));
  TRY(record_act(instance, "announcement.ordered",
                 {{"body", body_name(announcement.body)},
                  {"about", printable(announcement.occasion)},
                  {"channel", channel->name}}));
  ASSIGN_OR_RETURN(const bool made, announce(instance, announcement, *channel));
  if (!made) return hold(announcement.occasion + " has been announced on that channel already");
  if (!common.quiet) {
    print_line(std::string(body_name(announcement.body)) + " about " + announcement.occasion +
               " is on its way to channel " + channel->name);
  }
  return ExitCode::ok;
}

Result<ExitCode> send_crl(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(auto newest, reader->newest_crl());
  if (!newest) return hold("there is no CRL yet", "`cmpost crl issue` makes one");
  return send(*instance, options, crl_announcement(newest->first, std::move(newest->second)),
              common);
}

Result<ExitCode> send_key(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const authority, instance->authority());
  if (authority->rollovers.empty()) {
    return hold("the CA key has not been changed", "`cmpost ca rollover` makes the next one");
  }
  return send(*instance, options, ca_key_announcement(authority->rollovers.back(), options.pvno),
              common);
}

Result<CertificateRecord> record_with(Instance& instance, const std::string& text) {
  ASSIGN_OR_RETURN(const auto reader, instance.look_into_ledger());
  return find_certificate(*reader, text);
}

Result<ExitCode> send_certificate(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto record, record_with(*instance, options.serial));
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
  return send(*instance, options, certificate_announcement(certificate), common);
}

// "2027-01-31T12:00:00Z" or a time from now: "30d".
Result<Time> read_when(const std::string& text, Time now) {
  if (const auto time = from_iso8601(text)) return *time;
  if (const auto duration = parse_duration(text)) return now + *duration;
  return wrong_usage("\"" + printable(text, 40) + "\" is no time",
                     "write 2027-01-31T12:00:00Z or 30d");
}

Result<ExitCode> send_revocation(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto record, record_with(*instance, options.serial));
  ASSIGN_OR_RETURN(const auto certificate, Certificate::from_der(record.der));
  const auto now = instance->clock().now();
  if (!record.revoked_at && options.at.empty()) {
    return hold("the certificate " + options.serial + " is not revoked",
                "--at TIME announces a revocation that is planned");
  }
  auto when = record.revoked_at.value_or(now);
  if (!options.at.empty()) {
    ASSIGN_OR_RETURN(when, read_when(options.at, now));
  }
  auto announcement = revocation_announcement(certificate, when, now, record.invalidity_date,
                                              record.reason.value_or(CRLReason::unspecified));
  if (when > now) announcement.occasion = "planned-" + announcement.occasion;
  return send(*instance, options, announcement, common);
}

Result<ExitCode> list_received(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto filter, options.list.read(*instance));
  RowSink sink({"id", "received", "body", "channel", "sender"}, options.list.form(common),
               "no announcements were received");
  const auto each = [&](const ReceivedAnnouncement& one) -> Result<void> {
    sink.add(
        [&] {
          return std::vector{std::to_string(one.id), to_iso8601(one.at), one.body, one.channel,
                             one.sender};
        },
        [&] {
          return json{{"id", one.id},
                      {"received", to_iso8601(one.at)},
                      {"body", one.body},
                      {"channel", one.channel},
                      {"sender", printable(one.sender)}};
        });
    return {};
  };
  ASSIGN_OR_RETURN(const auto all, AnnouncementTable(reader->connection()).for_each(filter, each));
  sink.finish(left_out(filter, all));
  return ExitCode::ok;
}

Result<ExitCode> show_received(const AnnouncementOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto found, AnnouncementTable(reader->connection()).find(options.id));
  if (!found) return hold("no announcement has the number " + std::to_string(options.id));
  const auto message = decode(found->der, {.max_message = found->der.size()});
  if (!message) return hold("the stored announcement cannot be read: " + message.error().text());
  print_line(common.json ? inspect_json(*message) : inspect_text(*message));
  return ExitCode::ok;
}

}  // namespace

void add_announcement(CommandLine line) {
  auto* announcement =
      line.app.add_subcommand("announcement", "messages that nobody asked for, in and out");
  announcement->require_subcommand(1);
  auto options = std::make_shared<AnnouncementOptions>();
  auto* common = &line.options;
  auto* listing = announcement->add_subcommand("list", "those that other CAs have sent");
  options->list.offer(
      *listing,
      {.filters = {FilterBy::time, FilterBy::channel, FilterBy::requester}, .newest_first = true});
  listing->callback([=] { line.action = [=] { return list_received(*options, *common); }; });
  auto* showing = announcement->add_subcommand("show", "one of them in words");
  showing->add_option("ID", options->id, "its number in the list")->required();
  showing->callback([=] { line.action = [=] { return show_received(*options, *common); }; });

  const auto add_sending = [&](const char* name, const char* help, auto action) {
    auto* command = announcement->add_subcommand(name, help);
    command->add_option("--channel", options->channel, "where it leaves")->required();
    command->callback([=] { line.action = [=] { return action(*options, *common); }; });
    return command;
  };
  add_sending("crl", "announce the newest CRL (crlann)", send_crl);
  add_sending("ca-key", "announce the newest CA key (ckuann)", send_key)
      ->add_option("--pvno", options->pvno, "3 (default), or 2 for the older form")
      ->check(CLI::IsMember({2, 3}));
  add_sending("certificate", "announce a certificate (cann)", send_certificate)
      ->add_option("SERIAL", options->serial, "in hexadecimal")
      ->required();
  auto* revocation =
      add_sending("revocation", "announce a revocation, done or planned (rann)", send_revocation);
  revocation->add_option("SERIAL", options->serial, "in hexadecimal")->required();
  revocation->add_option("--at", options->at, "when it will be revoked: 30d, 2027-01-31T12:00:00Z");
}

}  // namespace cmpost
