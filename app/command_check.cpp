#include <cstdio>

#include "app/channel_condition.h"
#include "app/clock_notes.h"
#include "app/command.h"
#include "app/instance.h"
#include "app/lifetimes.h"
#include "app/mail_probe.h"
#include "app/output.h"
#include "app/restore.h"
#include "app/role_warnings.h"
#include "app/sftp_probe.h"
#include "app/wide_rights.h"
#include "config/check_permissions.h"
#include "mail/answer_signer.h"
#include "mail/smime_opener.h"

namespace cmpost {
namespace {

// The certificates and keys that the channels name for themselves.
Result<void> read_mail_keys(const Instance& instance) {
  for (const auto& channel : instance.settings().channels) {
    const auto opener = SmimeOpener::load(channel.mail.smime, instance.clock(), channel.crls);
    if (!opener) return failure(Error(opener.error()).within("channel " + channel.name));
    const auto signer = AnswerSigner::load(channel.mail.smime);
    if (!signer) return failure(Error(signer.error()).within("channel " + channel.name));
  }
  return {};
}

// Logs in wherever there is something to log in to; how many channels could not.
std::size_t log_in_everywhere(const Instance& instance, const CommonOptions& options) {
  std::size_t failed = 0;
  for (const auto& channel : instance.settings().channels) {
    if (channel.kind == ChannelKind::directory) continue;
    const bool sftp = channel.kind == ChannelKind::sftp;
    const auto& fetch = sftp ? channel.sftp.fetch.host : channel.mail.fetch.host;
    const auto& send = sftp ? channel.sftp.send.host : channel.mail.send.host;
    if (auto done = sftp ? log_in_by_sftp(channel) : log_in(channel); !done) {
      print_error(std::move(done).error().within("channel " + channel.name));
      ++failed;
    } else if (!options.quiet) {
      print_line("channel " + channel.name + ": logged in at " + fetch + " and " + send);
    }
  }
  return failed;
}

std::size_t tell_incomplete_batches(const Instance& instance) {
  std::size_t count = 0;
  for (const auto& channel : instance.settings().channels) {
    for (const auto& text : batch_complaints(channel)) {
      print_warning("cmpost: channel " + channel.name + ": " + text);
      ++count;
    }
  }
  return count;
}

// Every mistake that can be found without working: settings, files, keys, databases, lifetimes.
Result<ExitCode> check(const CommonOptions& options, bool connect) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(options));
  const auto complaints = check_files(instance->settings());
  for (const auto& complaint : complaints) print_warning(to_string(complaint));
  if (!complaints.empty()) return wrong_settings("the settings have mistakes");
  if (const auto services = instance->services(); !services) {
    return failure(Error(services.error()));
  }
  const auto permissions = check_permissions(instance->settings());
  for (const auto& complaint : permissions.complaints) print_warning(to_string(complaint));
  for (const auto& warning : permissions.warnings) print_warning("cmpost: " + warning);
  TRY(read_mail_keys(*instance));
  TRY(instance->look_into_spool());
  TRY(instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto clock, find_clock_notes(*instance));
  for (const auto& note : clock) print_warning("cmpost: " + note.text);
  ASSIGN_OR_RETURN(const auto warnings, find_lifetime_warnings(*instance));
  for (const auto& warning : warnings) print_warning("cmpost: " + warning.text);
  ASSIGN_OR_RETURN(const auto behind, find_newer_crl(*instance));
  if (behind) print_error(*behind);
  ASSIGN_OR_RETURN(const auto roles, find_role_warnings(*instance));
  for (const auto& text : roles) print_warning("cmpost: " + text);
  ASSIGN_OR_RETURN(const auto wide, find_wide_rights(*instance));
  for (const auto& text : wide) print_warning("cmpost: wide rights: " + text);
  if (connect && log_in_everywhere(*instance, options) > 0) return ExitCode::failed;
  const auto incomplete = tell_incomplete_batches(*instance);
  const bool urgent = std::ranges::any_of(warnings, &LifetimeWarning::urgent) ||
                      std::ranges::any_of(clock, &ClockNote::urgent);
  if (urgent || behind || !permissions.complaints.empty()) return ExitCode::failed;
  const bool well = warnings.empty() && clock.empty() && roles.empty() &&
                    permissions.warnings.empty() && incomplete == 0;
  if (!well) return ExitCode::partly;
  if (!options.quiet)
    print_line(instance->settings().file + (wide.empty() ? ": all well" : ": no mistakes"));
  return ExitCode::ok;
}

}  // namespace

void add_check(CommandLine line) {
  auto* command = line.app.add_subcommand("check", "find every mistake in the configuration");
  auto connect = std::make_shared<bool>(false);
  command->add_flag("--connect", *connect, "also log in at the servers of every channel");
  command->callback(
      [=] { line.action = [=, common = &line.options] { return check(*common, *connect); }; });
}

}  // namespace cmpost
