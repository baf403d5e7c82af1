#include <array>

#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

void read_way(Section& table, OrdersSettings& orders) {
  orders.command = table.path("command", NamedFile::Use::program);
  if (!table.has("command")) {
    table.require("in", "the directory where certificates are put, or command = \"/PATH\"");
    table.require("out", "the directory where orders are put, or command = \"/PATH\"");
  }
  orders.in = table.path("in", NamedFile::Use::exchanged);
  orders.out = table.path("out", NamedFile::Use::exchanged);
  if (!table.has("command")) {
    orders.settle = table.duration("settle", orders.settle, {100ms, 1h});
    orders.done_keep = table.duration("done_keep", orders.done_keep, {0s, 24h * 3650});
    orders.quarantine_keep =
        table.duration("quarantine_keep", orders.quarantine_keep, {0s, 24h * 3650});
    if (table.has("time_limit")) {
      table.complain("time_limit", "'time_limit' is for a program", "command = \"/PATH\"");
    }
    return;
  }
  for (const auto* key : {"in", "out"}) {
    if (table.has(key)) {
      table.complain(key, "'" + std::string(key) + "' cannot stand beside 'command'",
                     "a person carries orders, or a program places them");
    }
  }
}

}  // namespace

OrdersSettings read_orders_settings(Section& table) {
  constexpr std::array kChanges = {
      Word<ChangedNames>{"hold", ChangedNames::hold},
      Word<ChangedNames>{"grantedWithMods", ChangedNames::grantedWithMods}};
  OrdersSettings orders;
  read_way(table, orders);
  orders.time_limit = table.duration("time_limit", orders.time_limit, {1s, 1h});
  orders.poll = table.duration("poll", orders.poll, {100ms, 24h});
  orders.changes = table.choice("changes", orders.changes, kChanges);
  return orders;
}

}  // namespace cmpost
