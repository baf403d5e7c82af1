#include "app/commands/command_trust.h"
#include "app/commands/commands.h"
#include "app/instance/channel_kinds.h"
#include "app/instance/instance.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"

namespace cmpost {
namespace {

Result<ExitCode> test(const std::string& name, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const found, channel_named(instance->settings(), name));
  const auto& server = kind_of(*found).server;
  if (!server) {
    return hold("channel " + name + " has no server to try", kind_of(*found).without_server);
  }
  ASSIGN_OR_RETURN(const auto text, server->test(*instance, *found));
  if (!common.quiet) print_line(name + ": " + text);
  return ExitCode::ok;
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
