#include "orders/not_placed.h"

namespace cmpost {
namespace {

constexpr std::chrono::seconds kUntilDropped(10);

}  // namespace

Result<std::optional<Delivery>> not_placed(const Job& order, const AskStanding& standing) {
  using What = Delivery::What;
  ASSIGN_OR_RETURN(const auto found, standing(order));
  const auto name = order_name(order.envelope.tid);
  switch (found) {
    case OrderStanding::open:
      break;
    case OrderStanding::over:
      return Delivery{What::deferred, "order " + name + " is over, and is not placed",
                      kUntilDropped};
    case OrderStanding::unknown:
      return Delivery{What::held, "the ledger knows no order " + name +
                                      ", so nobody waits for it: one of the two databases is of a "
                                      "backup (`cmpost queue drop` ends it)"};
  }
  return std::nullopt;
}

}  // namespace cmpost
