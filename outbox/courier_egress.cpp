#include "outbox/courier_egress.h"

namespace cmpost {
namespace {

constexpr Duration kLookAgain = std::chrono::hours(6);

}  // namespace

Deliveries CourierEgress::send(std::span<const Lease> leases, const std::stop_token&) {
  Deliveries deliveries;
  deliveries.each.assign(leases.size(), {.what = Delivery::What::deferred,
                                         .detail = std::string(kWaitsForCourier),
                                         .after = kLookAgain});
  return deliveries;
}

}  // namespace cmpost
