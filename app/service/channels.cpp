#include "app/service/channels.h"

#include "app/instance/channel_kinds.h"
#include "outbox/named_directory_egress.h"

namespace cmpost {
Result<std::vector<std::unique_ptr<Ingress>>> make_ingresses(Instance& instance, Spool& spool,
                                                             const Clock& steady) {
  const Surroundings around{instance, spool, steady};
  std::vector<std::unique_ptr<Ingress>> ingresses;
  for (const auto& channel : instance.settings().channels) {
    if (!instance.scope().has(channel.name)) continue;
    ASSIGN_OR_RETURN(auto ingress, kind_of(channel).make_ingress(around, channel));
    ingresses.push_back(std::move(ingress));
  }
  return ingresses;
}

Result<std::vector<std::unique_ptr<Egress>>> make_egresses(Instance& instance,
                                                           const Clock& steady) {
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  const Surroundings around{instance, *spool, steady};
  std::vector<std::unique_ptr<Egress>> egresses;
  for (const auto& channel : instance.settings().channels) {
    if (!instance.scope().has(channel.name)) continue;
    ASSIGN_OR_RETURN(auto egress, kind_of(channel).make_egress(around, channel));
    egresses.push_back(std::move(egress));
  }
  if (instance.scope().has(kNamedDirectory)) {
    egresses.push_back(std::make_unique<NamedDirectoryEgress>(under_way_in(spool->replies())));
  }
  return egresses;
}

ProcessorSettings settings_for(std::size_t workers, WayBook& ways) {
  static constexpr Duration kUsualPause = std::chrono::seconds(1);
  const auto tell = [](WayRecorder& record) {
    return [&record](const std::optional<Error>& trouble) {
      trouble ? record.rests(*trouble, kUsualPause) : record.works();
    };
  };
  return {.workers = workers,
          .on_take = tell(ways.of(Part::requests)),
          .on_commit = tell(ways.of(Part::ledger))};
}

}  // namespace cmpost
