#include "app/command.h"
#include "app/command_trust.h"
#include "app/instance.h"
#include "app/mail_probe.h"
#include "app/named.h"
#include "app/output.h"
#include "app/sftp_probe.h"

namespace cmpost {
namespace {

Result<ExitCode> test_sftp(Instance& instance, const ChannelSettings& channel, bool quiet) {
  ASSIGN_OR_RETURN(const auto took, write_a_probe(instance, channel));
  if (!quiet) {
    print_line(channel.name + ": a file was written to " + channel.sftp.send.host +
               ", read back and removed within " + in_words(took));
  }
  return ExitCode::ok;
}

Result<ExitCode> test_mail(Instance& instance, const ChannelSettings& channel, bool quiet) {
  ASSIGN_OR_RETURN(const auto took, send_to_itself(instance, channel));
  if (!quiet) {
    print_line(channel.name + ": a mail to " + channel.mail.from +
               " was sent and came back after " + in_words(took));
  }
  return ExitCode::ok;
}

Result<ExitCode> test(const std::string& name, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const found, channel_named(instance->settings(), name));
  switch (found->kind) {
    case ChannelKind::directory:
      return hold("channel " + name + " has no server to try",
                  "`cmpost check` looks at its directories");
    case ChannelKind::mail:
      return test_mail(*instance, *found, common.quiet);
    case ChannelKind::sftp:
      return test_sftp(*instance, *found, common.quiet);
  }
  CHECK(false);
}

}  // namespace

void add_channel(CommandLine line) {
  auto* channel = line.app.add_subcommand("channel", "the ways in and out");
  channel->require_subcommand(1);
  auto* testing = channel->add_subcommand(
      "test", "send a mail to the channel itself, or write a file to its server, and find it");
  auto name = std::make_shared<std::string>();
  testing->add_option("NAME", *name)->required();
  testing->callback(
      [=] { line.action = [=, common = &line.options] { return test(*name, *common); }; });
  auto* trusting =
      channel->add_subcommand("trust", "store the host key of an SFTP channel's server");
  auto confirmed = std::make_shared<std::vector<std::string>>();
  trusting->add_option("NAME", *name)->required();
  trusting->add_option("--yes", *confirmed, "the fingerprint that is right (SHA256:...)");
  trusting->callback([=] {
    line.action = [=, common = &line.options] {
      return trust_host_keys(*name, *confirmed, *common);
    };
  });
}

}  // namespace cmpost
