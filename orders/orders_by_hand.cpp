#include "orders/orders_by_hand.h"

#include "asn1/pem.h"
#include "queue/order_job.h"

namespace cmpost {
namespace {

// The two directories as those of a channel whose files are messages.
ChannelSettings as_directories(const ChannelSettings& channel) {
  const auto& orders = *channel.orders();
  DirectorySettings directories;
  directories.in = orders.in;
  directories.out = orders.out;
  directories.name_template = "{stem}.csr";
  directories.settle = orders.settle;
  directories.poll = orders.poll;
  directories.done_keep = orders.done_keep;
  directories.quarantine_keep = orders.quarantine_keep;
  auto settings = channel;
  settings.transport = std::move(directories);
  return settings;
}

Lease as_file(const Lease& lease) {
  auto file = lease;
  file.job.envelope.reply.name = order_name(lease.job.envelope.tid);
  file.job.payload = to_bytes(to_pem_text("CERTIFICATE REQUEST", lease.job.payload));
  return file;
}

bool is_revocation(const Lease& lease) { return lease.job.envelope.body == kRevocationOrder; }

}  // namespace

OrdersByHandEgress::OrdersByHandEgress(const ChannelSettings& settings, UnderWay under_way)
    : files_(as_directories(settings), std::move(under_way)) {}

Deliveries OrdersByHandEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  std::vector<Lease> files;
  for (const auto& lease : leases) {
    if (!is_revocation(lease)) files.push_back(as_file(lease));
  }
  auto written = files_.send(files, stop);
  Deliveries deliveries;
  deliveries.trouble = std::move(written.trouble);
  auto next = written.each.begin();
  for (const auto& lease : leases) {
    deliveries.each.push_back(is_revocation(lease)
                                  ? Delivery{Delivery::What::sent, std::string(kListed)}
                                  : std::move(*next++));
  }
  return deliveries;
}

std::unique_ptr<DirectoryIngress> orders_by_hand(const ChannelSettings& settings,
                                                 JobQueue& requests, const Clock& wall,
                                                 const Clock& steady, const Clock* sure) {
  auto ingress =
      std::make_unique<DirectoryIngress>(as_directories(settings), requests, wall, steady, sure);
  ingress->take_as({read_order_file, mark_order_job});
  return ingress;
}

}  // namespace cmpost
