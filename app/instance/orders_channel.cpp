#include "app/instance/orders_channel.h"

#include "orders/orders_by_hand.h"
#include "orders/orders_by_program.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_orders_ingress(const Surroundings& around,
                                                     const ChannelSettings& channel) {
  auto& [instance, spool, steady] = around;
  if (!channel.orders()->command.empty()) {
    return std::make_unique<OrdersByProgramIngress>(channel, spool.requests(),
                                                    instance.sure_clock(), steady);
  }
  return orders_by_hand(channel, spool.requests(), instance.clock(), steady,
                        &instance.sure_clock());
}

Result<std::unique_ptr<Egress>> make_orders_egress(const Surroundings& around,
                                                   const ChannelSettings& channel) {
  const auto standing = [&instance = around.instance](const Job& order) -> Result<OrderStanding> {
    ASSIGN_OR_RETURN(const auto ledger, instance.look_into_ledger());
    return standing_of(order, ledger->connection());
  };
  if (!channel.orders()->command.empty()) {
    const OrdersByProgramEgress::Queues queues{around.spool.requests(), around.spool.replies(),
                                               standing};
    return std::make_unique<OrdersByProgramEgress>(channel, queues, around.instance.sure_clock(),
                                                   around.steady);
  }
  return std::make_unique<OrdersByHandEgress>(channel, standing,
                                              under_way_in(around.spool.replies()));
}

// Those of a program are its own matter.
std::vector<std::string> directories_of_orders(const ChannelSettings& channel) {
  const auto& own = *channel.orders();
  return own.command.empty() ? std::vector{own.in, own.out} : std::vector<std::string>();
}

std::vector<std::string> output_of_orders(const ChannelSettings& channel) {
  const auto& own = *channel.orders();
  return own.command.empty() ? std::vector{own.out} : std::vector<std::string>();
}

}  // namespace cmpost
