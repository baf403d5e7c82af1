// Who works on which channels where there are runs.
#pragma once

#include <set>
#include <string>

#include "config/settings.h"
#include "queue/spool.h"

namespace cmpost {

// Channels of a [[run]] are opened by that alone: whoever is no run works on the others.
inline ChannelScope scope_of_others(const Settings& settings) {
  std::set<std::string> of_runs;
  for (const auto& run : settings.runs) of_runs.insert(run.channels.begin(), run.channels.end());
  if (of_runs.empty()) return {};
  return {ChannelScope::Which::but, {of_runs.begin(), of_runs.end()}};
}

}  // namespace cmpost
