#include "processor/records/request_listing.h"

#include <algorithm>
#include <utility>

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
                             .source = "came_as",
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

// A cursor on one of the two.
class Cursor {
 public:
  Cursor(const Side& side, ListFilter filter)
      : refused_(side.refused), query_(make(side, std::move(filter))) {}

  Result<void> begin(Connection& connection) {
    ASSIGN_OR_RETURN(rows_, query_.begin(connection));
    return next();
  }
  Result<void> next() {
    ASSIGN_OR_RETURN(there_, rows_->step());
    if (!there_) rows_->reset();
    return {};
  }
  bool is_there() const { return there_; }
  void end() {
    if (there_) rows_->reset();
  }
  Result<std::int64_t> count(Connection& connection) const { return query_.count(connection); }

  // Of the current row.
  std::pair<std::string, std::int64_t> place() const {
    return {std::string(rows_->text(0)), rows_->integer(2)};
  }
  ListedRequest read() const {
    ListedRequest one;
    one.refused = refused_;
    one.id = rows_->integer(1);
    one.at = from_unix_micros(rows_->integer(2));
    one.transactionID = to_bytes(rows_->blob(3));
    one.state = rows_->text(4);
    one.body = rows_->text(5);
    one.channel = rows_->text(6);
    one.requester = rows_->text(7);
    one.known = rows_->integer(8) != 0;
    one.subject = rows_->text(9);
    one.source = rows_->text(10);
    one.reason = rows_->text(11);
    return one;
  }

 private:
  // Which rows are in the cut is known when both are merged: neither may leave out more.
  static ListQuery make(const Side& side, ListFilter filter) {
    if (filter.limit) *filter.limit += filter.offset;
    filter.offset = 0;
    return {sort_key(side, filter.sort) + side.columns, side.from, side.where, filter};
  }

  bool refused_;
  ListQuery query_;
  Statement* rows_ = nullptr;
  bool there_ = false;
};

// A row of the other table may be from the same moment; then its own order decides.
bool comes_first(const Cursor& one, const Cursor& other, bool newest) {
  if (!other.is_there()) return true;
  if (!one.is_there()) return false;
  return newest ? one.place() >= other.place() : one.place() <= other.place();
}

}  // namespace

std::vector<std::string> request_sorts() {
  std::vector<std::string> names;
  for (const auto& sort : transactions_side().where.sorts) names.push_back(sort.first);
  return names;
}

Result<Listed> list_requests(Connection& connection, const ListFilter& filter,
                             const std::function<Result<void>(const ListedRequest&)>& each) {
  Cursor transactions(transactions_side(), filter), refused(refused_side(), filter);
  TRY(transactions.begin(connection));
  TRY(refused.begin(connection));
  Listed listed;
  std::size_t place = 0;
  const auto is_cut = [&] {
    return filter.limit && place >= filter.offset && place - filter.offset >= *filter.limit;
  };
  while ((transactions.is_there() || refused.is_there()) && !is_cut()) {
    const bool first = transactions.is_there() && comes_first(transactions, refused, filter.newest);
    auto& one = first ? transactions : refused;
    if (place++ >= filter.offset) {
      TRY(each(one.read()));
      ++listed.shown;
    }
    TRY(one.next());
  }
  transactions.end();
  refused.end();
  listed.all = static_cast<std::int64_t>(place);
  if (!is_cut()) return listed;
  ASSIGN_OR_RETURN(const auto of_transactions, transactions.count(connection));
  ASSIGN_OR_RETURN(const auto of_refused, refused.count(connection));
  listed.all = of_transactions + of_refused;
  return listed;
}

}  // namespace cmpost
