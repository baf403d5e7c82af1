#include "app/instance/directory_channel.h"

#include "outbox/directory_egress.h"
#include "outbox/media_egress.h"
#include "outbox/one_way_egress.h"
#include "watcher/directory_ingress.h"
#include "watcher/media/media_ingress.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_directory_ingress(const Surroundings& around,
                                                        const ChannelSettings& channel) {
  auto& [instance, spool, steady] = around;
  auto& requests = spool.requests();
  const auto& wall = instance.clock();
  if (channel.directory()->one_way_in) {
    return std::make_unique<OneWayIngress>(channel, requests, instance.likely_clock(), steady);
  }
  const auto& sure = instance.sure_clock();
  if (channel.directory()->media) {
    return std::make_unique<MediaIngress>(channel, requests, sure, steady, instance.random());
  }
  return std::make_unique<DirectoryIngress>(channel, requests, wall, steady, &sure);
}

Result<std::unique_ptr<Egress>> make_directory_egress(const Surroundings& around,
                                                      const ChannelSettings& channel) {
  auto& [instance, spool, steady] = around;
  if (channel.directory()->one_way_out) {
    return std::make_unique<OneWayEgress>(channel, spool.replies(), instance.likely_clock(),
                                          instance.random(), &instance.sure_clock());
  }
  if (channel.directory()->media) {
    return std::make_unique<MediaEgress>(channel, under_way_in(spool.replies()));
  }
  return std::make_unique<DirectoryEgress>(channel, under_way_in(spool.replies()));
}

std::vector<std::string> directories_of(const ChannelSettings& channel) {
  const auto& own = *channel.directory();
  return {own.in, own.out, own.staging};
}

std::vector<std::string> output_of(const ChannelSettings& channel) {
  return {channel.directory()->out};
}

}  // namespace cmpost
