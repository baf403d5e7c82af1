#include "processor/records/request_listing.h"

#include <algorithm>
#include <tuple>

namespace cmpost {
namespace {

// A poll says nothing about what was asked for.
#define NEWEST_OUTCOME                                                           \
  "(SELECT outcome FROM message WHERE message.tx = tx.id AND body <> 'pollReq' " \
  "ORDER BY message.id DESC LIMIT 1)"

// Both have the same columns in the same order; the first is the key of the order.
constexpr const char* kOfTransactions =
    ", id, opened, tid, state, body, channel, requester, 1, subject, came_as, "
    "ifnull(" NEWEST_OUTCOME ", '')";
constexpr const char* kOfRefused =
    ", id, at, tid, 'refused', body, channel, requester, known, subject, source, "
    "fail_info || CASE WHEN fail_info = '' THEN '' ELSE ': ' END || reason";

#define EVERY_NAME                                                                \
  "came_as || ifnull((SELECT group_concat(' ' || also_came_as.came_as, '') FROM " \
  "also_came_as WHERE also_came_as.tx = tx.id), '')"

struct Side {
  const char* from;
  const char* columns;
  ListColumns where;
  bool refused;
};

const Side& transactions_side() {
  static const Side side = {"tx",
                            kOfTransactions,
                            {.time = "opened",
                             .channel = "channel",
                             .state = "state",
                             .subject = "subject",
                             .requester = "requester",
                             .source = EVERY_NAME,
                             .reason = NEWEST_OUTCOME,
                             .sorts = {{"channel", "channel"},
                                       {"requester", "requester"},
                                       {"source", "came_as"},
                                       {"state", "state"},
                                       {"subject", "subject"}}},
                            false};
  return side;
}

const Side& refused_side() {
  static const Side side = {"refused",
                            kOfRefused,
                            {.time = "at",
                             .channel = "channel",
                             .state = "'refused'",
                             .subject = "subject",
                             .requester = "requester",
                             .source = "source",
                             .reason = "fail_info || ': ' || reason",
                             .sorts = {{"channel", "channel"},
                                       {"requester", "requester"},
                                       {"source", "source"},
                                       {"state", "'refused'"},
                                       {"subject", "subject"}}},
                            true};
  return side;
}

std::string sort_key(const Side& side, const std::string& sort) {
  if (sort.empty()) return "''";
  const auto& sorts = side.where.sorts;
  return std::ranges::find(sorts, sort, [](const auto& one) { return one.first; })->second;
}

struct Listing {
  ListedRequest request;
  std::string key;  // of the order
};

// Of one of the two.
Result<Listing> read_listing(Row& row, bool refused) {
  Listing one;
  auto& request = one.request;
  request.refused = refused;
  row.into(one.key, request.id, request.at, request.transactionID, request.state, request.body,
           request.channel, request.requester, request.known, request.subject, request.source,
           request.reason);
  return one;
}

// Which rows are in the cut is known when both are merged: neither may leave out more.
ListQuery query_of(const Side& side, ListFilter filter) {
  if (filter.limit) *filter.limit += filter.offset;
  filter.offset = 0;
  return {sort_key(side, filter.sort) + side.columns, side.from, side.where, filter};
}

auto open(Connection& connection, const ListQuery& query, const Side& side) {
  return query.cursor(connection,
                      [refused = side.refused](Row& row) { return read_listing(row, refused); });
}

// A row of the other table may be from the same moment; then its own order decides.
bool comes_first(const Listing& one, const Listing& other, bool newest) {
  const auto place = std::tie(one.key, one.request.at);
  const auto other_place = std::tie(other.key, other.request.at);
  return newest ? place >= other_place : place <= other_place;
}

}  // namespace

std::vector<std::string> request_sorts() {
  std::vector<std::string> names;
  for (const auto& sort : transactions_side().where.sorts) names.push_back(sort.first);
  return names;
}

Result<Listed> list_requests(Connection& connection, const ListFilter& filter,
                             const std::function<Result<void>(const ListedRequest&)>& each) {
  const auto of_transactions = query_of(transactions_side(), filter);
  const auto of_refused = query_of(refused_side(), filter);
  ASSIGN_OR_RETURN(auto transactions, open(connection, of_transactions, transactions_side()));
  ASSIGN_OR_RETURN(auto refused, open(connection, of_refused, refused_side()));
  Listed listed;
  std::size_t place = 0;
  const auto is_cut = [&] {
    return filter.limit && place >= filter.offset && place - filter.offset >= *filter.limit;
  };
  while ((transactions.is_there() || refused.is_there()) && !is_cut()) {
    const bool first = !refused.is_there() || (transactions.is_there() &&
                                               comes_first(*transactions, *refused, filter.newest));
    auto& one = first ? transactions : refused;
    if (place++ >= filter.offset) {
      TRY(each(one->request));
      ++listed.shown;
    }
    TRY(one.next());
  }
  listed.all = static_cast<std::int64_t>(place);
  if (!is_cut()) return listed;
  ASSIGN_OR_RETURN(const auto all_transactions, of_transactions.count(connection));
  ASSIGN_OR_RETURN(const auto all_refused, of_refused.count(connection));
  listed.all = all_transactions + all_refused;
  return listed;
}

}  // namespace cmpost
