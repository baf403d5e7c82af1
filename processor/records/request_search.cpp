#include "processor/records/request_search.h"

#include "ca/serial_number.h"
#include "processor/transaction/transaction_table.h"
#include "store/list_query.h"

namespace cmpost {
namespace {

ListFilter newest_first(std::size_t limit) { return {.newest = true, .limit = limit}; }

Result<std::vector<Transaction>> transactions_of(Connection& connection, const ListQuery& query) {
  std::vector<std::int64_t> rows;
  TRY(query.for_each(connection, [&](Row& row) -> Result<void> {
    rows.push_back(row.next<std::int64_t>());
    return {};
  }));
  std::vector<Transaction> found;
  for (const auto id : rows) {
    ASSIGN_OR_RETURN(auto transaction, TransactionTable(connection).find(id));
    if (transaction) found.push_back(std::move(*transaction));
  }
  return found;
}

Result<std::vector<RefusedRequest>> refused_of(Connection& connection, const ListQuery& query) {
  std::vector<RefusedRequest> found;
  TRY(query.for_each(connection, [&](Row& row) -> Result<void> {
    found.push_back(read_refused(row));
    return {};
  }));
  return found;
}

ListQuery query_refused(std::size_t limit) {
  return {std::string(kRefusedColumns), "refused", {}, newest_first(limit)};
}

Result<FoundRequests> by_transactionID(Connection& connection, std::string_view digits,
                                       std::size_t limit) {
  FoundRequests found;
  ASSIGN_OR_RETURN(found.transactions, transactions_beginning(connection, digits, limit));
  if (found.transactions.size() == 1) {
    ASSIGN_OR_RETURN(found.refused,
                     refused_under(connection, found.transactions[0].transactionID, limit));
    return found;
  }
  auto query = query_refused(limit);
  query.require_beginning("tid", digits);
  ASSIGN_OR_RETURN(found.refused, refused_of(connection, query));
  return found;
}

Result<FoundRequests> by_serial(LedgerReader& ledger, std::string_view digits, std::size_t limit) {
  auto& connection = ledger.connection();
  FoundRequests found;
  ASSIGN_OR_RETURN(const auto records, ledger.serials_beginning(digits, limit));
  for (const auto& serial : records) {
    ASSIGN_OR_RETURN(const auto record, ledger.find(serial));
    const auto tid = record ? from_hex(record->tid) : std::nullopt;
    if (!tid || tid->empty()) continue;
    ASSIGN_OR_RETURN(auto transaction, TransactionTable(connection).find(ByteView(*tid)));
    if (transaction) found.transactions.push_back(std::move(*transaction));
  }
  auto query = query_refused(limit);
  query.require("substr(serial, 1, length(?)) = ?", {std::string(digits), std::string(digits)});
  ASSIGN_OR_RETURN(found.refused, refused_of(connection, query));
  return found;
}

// `matches`: a condition on %, with one parameter.
Result<FoundRequests> by_source(Connection& connection, std::string_view matches,
                                const std::string& text, std::size_t limit) {
  const auto condition = [&](std::string_view column) {
    std::string sql(matches);
    return sql.replace(sql.find('%'), 1, column);
  };
  FoundRequests found;
  ListQuery transactions("id", "tx", {}, newest_first(limit));
  transactions.require("(" + condition("came_as") +
                           " OR id IN (SELECT tx FROM also_came_as WHERE " +
                           condition("also_came_as.came_as") + "))",
                       {text, text});
  ASSIGN_OR_RETURN(found.transactions, transactions_of(connection, transactions));
  auto refused = query_refused(limit);
  refused.require(condition("source"), {text});
  ASSIGN_OR_RETURN(found.refused, refused_of(connection, refused));
  return found;
}

}  // namespace

Result<std::vector<Transaction>> transactions_beginning(Connection& connection,
                                                        std::string_view digits,
                                                        std::size_t limit) {
  if (const auto whole = from_hex(digits)) {
    ASSIGN_OR_RETURN(auto exact, TransactionTable(connection).find(ByteView(*whole)));
    if (exact) return std::vector{std::move(*exact)};
  }
  ListQuery query("id", "tx", {}, newest_first(limit));
  query.require_beginning("tid", digits);
  return transactions_of(connection, query);
}

Result<std::vector<RefusedRequest>> refused_under(Connection& connection, ByteView transactionID,
                                                  std::size_t limit) {
  auto query = query_refused(limit);
  query.require("tid = ?", {to_bytes(transactionID)});
  return refused_of(connection, query);
}

Result<FoundRequests> find_requests(LedgerReader& ledger, std::string_view text,
                                    std::size_t limit) {
  auto& connection = ledger.connection();
  if (const auto digits = hex_digits(text)) {
    ASSIGN_OR_RETURN(auto found, by_transactionID(connection, *digits, limit));
    if (!found.is_empty()) return found;
    ASSIGN_OR_RETURN(found, by_serial(ledger, *digits, limit));
    if (!found.is_empty()) return found;
  }
  ASSIGN_OR_RETURN(auto exactly, by_source(connection, "% = ?", std::string(text), limit));
  if (!exactly.is_empty()) return exactly;
  return by_source(connection, "% LIKE ? ESCAPE '\\'", pattern_containing(text), limit);
}

}  // namespace cmpost
