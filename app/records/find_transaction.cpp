#include "app/records/find_transaction.h"

#include "processor/records/request_search.h"
#include "store/list_query.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostNamed = 5;

}  // namespace

Result<Transaction> find_transaction(Connection& connection, const std::string& text) {
  constexpr const char* kHint = "`cmpost transaction list --state waiting` shows them";
  const auto digits = hex_digits(text);
  if (!digits) return wrong_usage("\"" + printable(text, 80) + "\" is no transactionID", kHint);
  ASSIGN_OR_RETURN(auto found, transactions_beginning(connection, *digits, kMostNamed));
  if (found.empty()) {
    return hold("no transaction has the transactionID " + printable(text, 80), kHint);
  }
  if (found.size() > 1) return failure(several_transactions(text, found));
  return std::move(found.front());
}

Error several_transactions(const std::string& text, const std::vector<Transaction>& found) {
  std::string some;
  for (std::size_t i = 0; i < std::min(found.size(), kMostNamed); ++i) {
    some += (i == 0 ? "" : ", ") + to_hex(found[i].transactionID);
  }
  return {Recovery::hold, "several transactions begin with " + printable(text, 80),
          "write more of one: " + some};
}

}  // namespace cmpost
