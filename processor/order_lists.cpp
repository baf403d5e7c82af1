#include "processor/order_lists.h"

#include "base/csv.h"
#include "base/files.h"
#include "processor/records/order_listing.h"

namespace cmpost {
namespace {

constexpr std::size_t kLargestList = std::size_t{64} << 20U;

using Orders = std::vector<ListedOrder>;

std::string orders_csv(const Orders& orders, const std::string& channel) {
  std::string text = csv_line(
      {"id", "subject", "SANs", "key", "profile", "requester", "since", "state", "extensions"});
  for (const auto& one : orders) {
    if (one.revocation || one.message.channel != channel) continue;
    text += csv_line({one.id, one.subject, one.names, one.key, one.message.profile, one.requester,
                      to_iso8601(one.message.made), std::string(to_string(one.message.state)),
                      one.extensions});
  }
  return text;
}

std::string revocations_csv(const Orders& orders, const std::string& channel) {
  std::string text = csv_line({"id", "serial", "subject", "requester", "since", "state"});
  for (const auto& one : orders) {
    if (!one.revocation || one.message.channel != channel) continue;
    text += csv_line({one.id, one.serials, one.subject, one.requester, to_iso8601(one.message.made),
                      std::string(to_string(one.message.state))});
  }
  return text;
}

Result<void> keep_up_to_date(const std::string& file, const std::string& text) {
  const auto present = read_file(file, kLargestList);
  if (present && text_of(*present) == text) return {};
  return write_file(file, view_of(text), 0644, IfExists::replace);
}

}  // namespace

Result<void> write_order_lists(LedgerReader& ledger, const ChannelPolicies& channels) {
  std::optional<Orders> orders;
  std::optional<Error> trouble;
  for (const auto& [name, channel] : channels) {
    const auto* own = channel.settings.orders();
    if (own == nullptr || own->out.empty() || !exists(own->out)) continue;
    if (!orders) {
      ASSIGN_OR_RETURN(orders, list_orders(ledger, false));
    }
    for (const auto& [file, text] :
         {std::pair("/orders.csv", orders_csv(*orders, name)),
          std::pair("/revocations.csv", revocations_csv(*orders, name))}) {
      const auto written = keep_up_to_date(own->out + file, text);
      if (!written && !trouble) trouble = Error(written.error()).within("channel " + name);
    }
  }
  if (trouble) return failure(*trouble);
  return {};
}

}  // namespace cmpost
