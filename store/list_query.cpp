#include "store/list_query.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/ascii.h"

namespace cmpost {
namespace {

std::string order_of(const ListColumns& where, const ListFilter& filter) {
  const std::string direction = filter.newest ? " DESC" : "";
  std::string order;
  if (!filter.sort.empty()) {
    const auto found =
        std::ranges::find(where.sorts, filter.sort, [](const auto& sort) { return sort.first; });
    CHECK(found != where.sorts.end());
    order = found->second + direction + ", ";
  }
  return order + where.row + direction;
}

}  // namespace

ListQuery::ListQuery(std::string columns, std::string from, const ListColumns& where,
                     const ListFilter& filter)
    : columns_(std::move(columns)),
      from_(std::move(from)),
      order_(order_of(where, filter)),
      limit_(filter.limit),
      offset_(filter.offset) {
  const auto exactly = [this](const char* column, const std::string& text) {
    if (text.empty()) return;
    CHECK(column != nullptr);
    require(std::string(column) + " = ?", {text});
  };
  const auto part = [this](const char* column, const std::string& text) {
    if (text.empty()) return;
    CHECK(column != nullptr);
    require_part(column, text);
  };
  const auto moment = [this](const char* column, const char* relation,
                             const std::optional<Time>& time) {
    if (!time) return;
    CHECK(column != nullptr);
    require(std::string(column) + relation, {to_unix_micros(*time)});
  };
  if (filter.after_row != 0) require(std::string(where.row) + " > ?", {filter.after_row});
  moment(where.time, " >= ?", filter.since);
  moment(where.time, " < ?", filter.until);
  moment(where.expires, " < ?", filter.expires_before);
  exactly(where.channel, filter.channel);
  exactly(where.state, filter.state);
  if (!filter.but_state.empty()) require(std::string(where.state) + " <> ?", {filter.but_state});
  exactly(where.profile, filter.profile);
  exactly(where.event, filter.event);
  part(where.subject, filter.subject);
  part(where.requester, filter.requester);
  part(where.source, filter.source);
  part(where.reason, filter.reason);
}

void ListQuery::require(std::string condition, std::vector<Value> values) {
  conditions_.push_back(std::move(condition));
  std::ranges::move(values, std::back_inserter(values_));
}

std::string pattern_containing(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

void ListQuery::require_part(const char* column, std::string_view text) {
  require(std::string(column) + " LIKE ? ESCAPE '\\'", {pattern_containing(text)});
}

// As a range, so that an index serves.
void ListQuery::require_beginning(const char* column, std::string_view digits) {
  auto first =
      from_hex(std::string(digits) + (digits.size() % 2 == 1 ? "0" : "")).value_or(Bytes());
  auto end = first;
  // One more at the last digit that can have one more.
  unsigned one = digits.size() % 2 == 1 ? 0x10 : 1;
  while (!end.empty() && end.back() + one > 0xff) {
    end.pop_back();
    one = 1;
  }
  require(std::string(column) + " >= ?", {std::move(first)});
  if (end.empty()) return;
  end.back() = static_cast<std::uint8_t>(end.back() + one);
  require(std::string(column) + " < ?", {std::move(end)});
}

std::string ListQuery::conditions() const {
  std::string all;
  for (const auto& condition : conditions_) {
    all += (all.empty() ? " WHERE (" : " AND (") + condition + ")";
  }
  return all;
}

std::string ListQuery::select() const {
  auto sql = "SELECT " + columns_ + " FROM " + from_ + conditions();
  if (!order_.empty()) sql += " ORDER BY " + order_;
  if (!limit_ && offset_ == 0) return sql;
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  return sql + " LIMIT " + std::to_string(std::min(limit_.value_or(kMost), kMost)) + " OFFSET " +
         std::to_string(std::min(offset_, kMost));
}

Result<void> ListQuery::for_each(Connection& connection,
                                 const std::function<Result<void>(Row&)>& row) const {
  return each(connection, select(), row, values_);
}

Result<std::int64_t> ListQuery::for_each_counted(
    Connection& connection, const std::function<Result<void>(Row&)>& row) const {
  std::size_t seen = 0;
  TRY(for_each(connection, [&](Row& next) {
    ++seen;
    return row(next);
  }));
  const bool saw_the_end = (!limit_ || seen < *limit_) && (offset_ == 0 || seen > 0);
  if (saw_the_end) return static_cast<std::int64_t>(offset_ + seen);
  return count(connection);
}

Result<std::int64_t> ListQuery::count(Connection& connection) const {
  return only(connection, "SELECT count(*) FROM " + from_ + conditions(), column<std::int64_t>,
              values_);
}

std::optional<std::string> hex_digits(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    const char small = lower_ascii(c);
    if (!(small >= '0' && small <= '9') && !(small >= 'a' && small <= 'f')) return std::nullopt;
    digits += small;
  }
  if (digits.empty()) return std::nullopt;
  return digits;
}

}  // namespace cmpost
