#include "app/channels.h"

#include "outbox/directory_egress.h"
#include "watcher/directory_ingress.h"

namespace cmpost {

std::vector<std::unique_ptr<Ingress>> make_ingresses(const Settings& settings, JobQueue& requests,
                                                     const Clock& wall, const Clock& steady) {
  std::vector<std::unique_ptr<Ingress>> ingresses;
  for (const auto& channel : settings.channels) {
    ingresses.push_back(std::make_unique<DirectoryIngress>(channel, requests, wall, steady));
  }
  return ingresses;
}

std::vector<std::unique_ptr<Egress>> make_egresses(const Settings& settings) {
  std::vector<std::unique_ptr<Egress>> egresses;
  for (const auto& channel : settings.channels) {
    egresses.push_back(std::make_unique<DirectoryEgress>(channel));
  }
  return egresses;
}

}  // namespace cmpost
