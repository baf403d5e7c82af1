#include "orders/orders_by_hand.h"

#include "asn1/pem.h"
#include "orders/not_placed.h"
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

}  // namespace

OrdersByHandEgress::OrdersByHandEgress(const ChannelSettings& settings, AskStanding standing,
                                       UnderWay under_way)
    : standing_(std::move(standing)), files_(as_directories(settings), std::move(under_way)) {}

// What becomes of one that gets no file.
Result<std::optional<Delivery>> OrdersByHandEgress::without_file(const Job& order) const {
  if (order.envelope.body == kRevocationOrder) {
    return Delivery{Delivery::What::sent, std::string(kListed)};
  }
  return not_placed(order, standing_);
}

Deliveries OrdersByHandEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  std::vector<Lease> files;
  std::vector<std::optional<Delivery>> others;
  std::optional<Error> trouble;
  for (const auto& lease : leases) {
    auto other = without_file(lease.job);
    if (!other) {
      trouble = other.error();
      other = Delivery{Delivery::What::deferred, to_string(*trouble)};
    }
    if (!*other) files.push_back(as_file(lease));
    others.push_back(*std::move(other));
  }
  auto written = files_.send(files, stop);
  Deliveries deliveries;
  deliveries.trouble = trouble ? std::move(trouble) : std::move(written.trouble);
  auto next = written.each.begin();
  for (auto& other : others) {
    deliveries.each.push_back(other ? *std::move(other) : std::move(*next++));
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
