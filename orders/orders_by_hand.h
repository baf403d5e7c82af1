// Orders that a person carries: PKCS#10 out, certificates in.
#pragma once

#include "orders/answer_file.h"
#include "outbox/directory_egress.h"
#include "queue/order_job.h"
#include "watcher/directory_ingress.h"

namespace cmpost {

// Writes each PKCS#10 as PEM to settings.orders()->out under the name ORDER.csr, with the promises
// of a DirectoryEgress: sent twice it is one file of the same octets. What is to be revoked needs
// no file: it stands in a list there (processor/order_lists.h).
class OrdersByHandEgress final : public Egress {
 public:
  // `standing` is asked before a file is written.
  OrdersByHandEgress(const ChannelSettings& settings, AskStanding standing,
                     UnderWay under_way = {});

  const std::string& channel() const override { return files_.channel(); }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  std::string_view verb() const override { return "ordered"; }

 private:
  Result<std::optional<Delivery>> without_file(const Job& order) const;

  const AskStanding standing_;
  DirectoryEgress files_;
};

// Takes what lies in settings.orders()->in, as a DirectoryIngress takes requests. References as
// there.
std::unique_ptr<DirectoryIngress> orders_by_hand(const ChannelSettings& settings,
                                                 JobQueue& requests, const Clock& wall,
                                                 const Clock& steady, const Clock* sure);

}  // namespace cmpost
