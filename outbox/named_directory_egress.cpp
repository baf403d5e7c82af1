#include "outbox/named_directory_egress.h"

#include <vector>

namespace cmpost {
namespace {

// Each holds a directory open.
constexpr std::size_t kMostOpen = 16;

}  // namespace

Deliveries NamedDirectoryEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    groups[leases[i].job.envelope.reply.address].push_back(i);
  }
  Deliveries all;
  all.each.resize(leases.size());
  std::size_t in_trouble = 0;
  for (const auto& [directory, places] : groups) {
    std::vector<Lease> group;
    for (const auto place : places) group.push_back(leases[place]);
    auto done = egress_for(directory).send(group, stop);
    for (std::size_t i = 0; i < places.size(); ++i) all.each[places[i]] = std::move(done.each[i]);
    if (!done.trouble) continue;
    ++in_trouble;
    all.trouble = std::move(done.trouble);
  }
  if (in_trouble < groups.size()) all.trouble.reset();
  return all;
}

DirectoryEgress& NamedDirectoryEgress::egress_for(const std::string& directory) {
  auto& egress = directories_[directory];
  if (egress) return *egress;
  if (directories_.size() > kMostOpen) {
    std::erase_if(directories_, [&](const auto& one) { return one.first != directory; });
  }
  ChannelSettings settings;
  settings.name = channel_;
  settings.transport.emplace<DirectorySettings>().out = directory;
  auto& made = directories_[directory];
  made = std::make_unique<DirectoryEgress>(settings, under_way_);
  return *made;
}

}  // namespace cmpost
