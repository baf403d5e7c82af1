// Transactions, and what was refused before it became one, in one listing; for people.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/list_query.h"

namespace cmpost {

// How what was refused is called among the states of transactions.
inline constexpr std::string_view kRefusedState = "refused";

struct ListedRequest {
  bool refused = false;
  std::int64_t id = 0;  // of the row in its table
  Time at{};
  Bytes transactionID;
  std::string state;
  std::string body, channel, requester;
  bool known = true;  // the requester is; else it is a claim
  std::string subject, source, reason;
};

// The names that ListFilter::sort may have here.
std::vector<std::string> request_sorts();

struct Listed {
  std::int64_t shown = 0;
  std::int64_t all = 0;  // that match, before limit and offset
};
// In the order of their times, or of `filter.sort`; one by one, so that memory stays flat.
Result<Listed> list_requests(Connection& connection, const ListFilter& filter,
                             const std::function<Result<void>(const ListedRequest&)>& each);

}  // namespace cmpost
