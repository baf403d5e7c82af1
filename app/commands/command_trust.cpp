#include "app/commands/command_trust.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "sftp/wire/host_key.h"

namespace cmpost {
namespace {

void show(const HostKey& key, const CommonOptions& common) {
  if (common.quiet) return;
  print_line(key.server + " shows " + key.type + " " + key.fingerprint);
  for (const auto& expected : key.expected) print_line("  known so far: " + expected);
  if (key.state == HostKey::State::changed) {
    print_line(
        "  THE KEY HAS CHANGED. Store it only if the server's administrator has changed it.");
  }
}

bool confirmed_on_terminal(const HostKey& key) {
  std::cout << "Does the server's administrator say the same (yes/no)? " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes" || answer == key.fingerprint;
}

Result<void> confirm(const HostKey& key, const std::vector<std::string>& confirmed) {
  if (std::ranges::find(confirmed, key.fingerprint) != confirmed.end()) return {};
  if (!confirmed.empty()) {
    return hold(key.server + " shows " + key.fingerprint + ", which is not what --yes says",
                "nothing was stored");
  }
  if (::isatty(STDIN_FILENO) == 0) {
    return hold("there is no terminal to ask whether " + key.fingerprint + " is right",
                "compare it, then add --yes " + key.fingerprint);
  }
  if (!confirmed_on_terminal(key)) return hold("nothing was stored");
  return {};
}

Result<void> trust_one(Instance& instance, const SftpUrl& url, const ChannelSettings& channel,
                       const std::vector<std::string>& confirmed, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto key, fetch_host_key(url, *channel.sftp()));
  show(key, common);
  if (key.state == HostKey::State::known) {
    if (!common.quiet) print_line("  it is in " + channel.sftp()->known_hosts + " already");
    return {};
  }
  TRY(confirm(key, confirmed));
  TRY(record_act(instance, "channel.trusted",
                 {{"channel", channel.name},
                  {"server", printable(key.server)},
                  {"fingerprint", printable(key.fingerprint)}}));
  TRY(trust_host_key(key, *channel.sftp()));
  if (!common.quiet) print_line("  stored in " + channel.sftp()->known_hosts);
  return {};
}

}  // namespace

Result<ExitCode> trust_host_keys(const std::string& name, const std::vector<std::string>& confirmed,
                                 const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto* const channel, channel_named(instance->settings(), name));
  if (channel->sftp() == nullptr) {
    return hold("channel " + name + " has no host keys", "kind = \"sftp\" has");
  }
  const auto& [fetch, send] = std::pair(channel->sftp()->fetch, channel->sftp()->send);
  TRY(trust_one(*instance, fetch, *channel, confirmed, common));
  if (known_hosts_name(send) != known_hosts_name(fetch)) {
    TRY(trust_one(*instance, send, *channel, confirmed, common));
  }
  return ExitCode::ok;
}

}  // namespace cmpost
