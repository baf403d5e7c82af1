// What the program can do with each kind of channel: one row a kind, and nobody else tells them
// apart. What concerns one kind alone asks the settings for it (`channel.mail()`).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "carrier/way_state.h"
#include "outbox/egress.h"
#include "queue/spool.h"
#include "watcher/ingress.h"

namespace cmpost {

// What an Ingress or Egress works with; it must outlive them.
struct Surroundings {
  Instance& instance;
  Spool& spool;
  const Clock& steady;
};

// What can be done at the servers of a channel.
struct ServerActs {
  std::string (*host)(const ChannelSettings&, Way);
  // At both servers; changes nothing there. What that was: "logged in at".
  Result<void> (*log_in)(const ChannelSettings&);
  const char* reached;
  // Tries the channel for real; what was seen to work, a sentence without its subject.
  Result<std::string> (*test)(Instance&, const ChannelSettings&);
};

struct ChannelKind {
  std::string_view word;  // in the settings
  // Connect to nothing yet; an Error is a channel that cannot work as it is set.
  Result<std::unique_ptr<Ingress>> (*make_ingress)(const Surroundings&, const ChannelSettings&);
  Result<std::unique_ptr<Egress>> (*make_egress)(const Surroundings&, const ChannelSettings&);
  // On this machine, whose disks shall not be full; and of these, where answers lie that have left.
  std::vector<std::string> (*directories)(const ChannelSettings&);
  std::vector<std::string> (*outputs)(const ChannelSettings&);
  std::optional<ServerActs> server;  // nullopt: it has none, and ...
  const char* without_server;        // ... this shows whether it works
  // For a job that says why an input was not taken: how the input is tried again.
  const char* try_input_again;
};

const ChannelKind& kind_of(const ChannelSettings& channel);

}  // namespace cmpost
