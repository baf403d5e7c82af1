#include "processor/upstream/find_orders.h"

#include <algorithm>

namespace cmpost {
namespace {

// One that is in the file twice is one.
std::vector<Certificate> without_copies(std::vector<Certificate> certificates) {
  std::vector<Certificate> once;
  for (auto& one : certificates) {
    if (std::ranges::find(once, one) == once.end()) once.push_back(std::move(one));
  }
  return once;
}

void prefer_named(const std::string& name, std::vector<UpstreamMessage>& orders) {
  if (name.empty()) return;
  std::vector<UpstreamMessage> named;
  for (const auto& one : orders) {
    if (to_hex(one.transactionID).starts_with(name)) named.push_back(one);
  }
  if (!named.empty()) orders = std::move(named);
}

Result<FoundOrders> find_by_key(const Job& news, UpstreamTable& table) {
  ASSIGN_OR_RETURN(auto certificates, read_concatenated(news.payload));
  FoundOrders found{without_copies(std::move(certificates))};
  std::size_t leaf = 0;
  for (std::size_t i = 0; i < found.certificates.size(); ++i) {
    const auto key = sha256(found.certificates[i].spki());
    ASSIGN_OR_RETURN(auto orders, table.orders_for(news.envelope.channel, key));
    if (orders.empty()) continue;
    if (!found.orders.empty()) {
      found.fault =
          "there are certificates of several orders in it: put each, with its chain, into a file "
          "of its own";
      return found;
    }
    found.orders = std::move(orders);
    leaf = i;
  }
  if (found.orders.empty()) {
    found.fault =
        (found.certificates.empty() ? "nothing" : described(found.certificates.front())) +
        " is for a key that was never ordered here: if the CA has issued it for us, it should be "
        "revoked there";
    return found;
  }
  std::swap(found.certificates.front(), found.certificates[leaf]);
  prefer_named(news.envelope.tid, found.orders);
  return found;
}

}  // namespace

Result<FoundOrders> find_orders(const Job& news, Connection& ledger) {
  UpstreamTable table(ledger);
  const auto kind = order_news(news.envelope.body);
  if (kind == OrderNews::certificates) return find_by_key(news, table);
  FoundOrders found;
  const auto tid = from_hex(news.envelope.tid);
  if (!tid || tid->empty()) return found;
  ASSIGN_OR_RETURN(found.orders, table.orders_beginning(news.envelope.channel, *tid));
  // Nobody hears of a refusal of what nobody has asked for: that stays to be revoked.
  std::erase_if(found.orders, [&](const UpstreamMessage& one) {
    return kind == OrderNews::revoked ? one.body != kRevocationOrder : !one.question;
  });
  return found;
}

std::string described(const Certificate& certificate) {
  return "the certificate " + certificate.serial_hex() + " for " +
         printable(certificate.subject_text(), 200);
}

}  // namespace cmpost
