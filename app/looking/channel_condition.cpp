#include "app/looking/channel_condition.h"

#include "carrier/bundles/sent_bundles.h"
#include "carrier/received_batches.h"
#include "outbox/bundle_export.h"
#include "watcher/media/bundle_import.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {

std::vector<std::string> batch_complaints(const ChannelSettings& channel) {
  const auto* own = channel.directory();
  if (own == nullptr || !own->one_way_in) return {};
  const auto received = ReceivedBatches::read(received_file(channel));
  if (!received) return {to_string(received.error())};
  return received->complaints();
}

std::vector<std::string> bundle_complaints(const ChannelSettings& channel, Time now) {
  if (channel.courier() == nullptr) return {};
  const auto received = ReceivedBatches::read(received_bundles_file(channel));
  if (!received) return {to_string(received.error())};
  auto complaints = received->complaints(CarriedAs::bundle);
  const auto archive = BundleArchive::look_into(bundle_archive_of(channel));
  if (!archive) complaints.push_back(to_string(archive.error()));
  if (!archive || !*archive) return complaints;
  const auto sent = look_at_sent(**archive, channel.courier()->bundle.receipt_within, now);
  if (!sent) {
    complaints.push_back(to_string(sent.error()));
    return complaints;
  }
  for (const auto& one : sent->all) {
    if (!one.passed && !one.overdue && !one.stays()) continue;
    complaints.push_back(describe(one, *sent, channel.courier()->peer) +
                         (one.passed    ? ""
                          : one.overdue ? "; its receipt is overdue"
                                        : "; `cmpost bundle export DIR` writes it"));
  }
  return complaints;
}

}  // namespace cmpost
