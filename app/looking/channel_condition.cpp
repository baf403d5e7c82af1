#include "app/looking/channel_condition.h"

#include "carrier/received_batches.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {

std::vector<std::string> batch_complaints(const ChannelSettings& channel) {
  const auto* own = channel.directory();
  if (own == nullptr || !own->one_way_in) return {};
  const auto received = ReceivedBatches::read(received_file(channel));
  if (!received) return {to_string(received.error())};
  return received->complaints();
}

}  // namespace cmpost
