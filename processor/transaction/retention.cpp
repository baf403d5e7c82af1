#include "processor/transaction/retention.h"

#include <nlohmann/json.hpp>
#include <set>

#include "processor/upstream/upstream_table.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::int64_t kMessagesAtATime = 500;

struct Ended {
  std::set<std::int64_t> transactions{};
  std::int64_t last = 0;  // id of the last message that was looked at
  bool more = false;
};

// Messages have ascending ids and times: the first one that is young ends the look.
Result<Ended> find_ended(Connection& connection, std::int64_t after, Time before) {
  Ended ended{.last = after};
  std::int64_t seen = 0;
  const auto look = [&](Row& row) {
    const auto [id, tx, at, has_ended] = columns<std::int64_t, std::int64_t, Time, bool>(row);
    if (at >= before) return false;
    ended.last = id;
    if (has_ended) ended.transactions.insert(tx);
    ++seen;
    return true;
  };
  TRY(each(
      connection,
      "SELECT message.id, message.tx, message.at, tx.state = 'closed' AND NOT EXISTS (SELECT 1 "
      "FROM message AS later WHERE later.tx = message.tx AND later.at >= ?) FROM message JOIN "
      "tx ON tx.id = message.tx WHERE message.id > ? ORDER BY message.id LIMIT ?",
      look, before, after, kMessagesAtATime));
  ended.more = seen == kMessagesAtATime;
  return ended;
}

Result<void> forget(LedgerWriter& writer, const std::set<std::int64_t>& transactions, Time before) {
  auto& connection = writer.connection();
  std::int64_t messages = 0;
  for (const auto tx : transactions) {
    ASSIGN_OR_RETURN(const auto removed,
                     change(connection, "DELETE FROM message WHERE tx = ?", tx));
    TRY(change(connection, "DELETE FROM wait_part WHERE tx = ?", tx));
    TRY(change(connection, "DELETE FROM wait WHERE tx = ?", tx));
    TRY(change(connection, "DELETE FROM also_came_as WHERE tx = ?", tx));
    TRY(UpstreamTable(connection).forget(tx));
    messages += removed;
  }
  TRY(UpstreamTable(connection).forget_leftovers());
  const nlohmann::json detail = {{"before", to_iso8601(before)},
                                 {"transactions", transactions.size()},
                                 {"messages", messages}};
  return writer.audit("messages.removed", detail.dump());
}

}  // namespace

Result<std::size_t> forget_messages(Ledger& ledger, Time before, std::size_t limit) {
  ASSIGN_OR_RETURN(const auto reader, ledger.reader());
  std::size_t done = 0;
  Ended ended{.more = true};
  while (ended.more && done < limit) {
    ASSIGN_OR_RETURN(ended, find_ended(reader->connection(), ended.last, before));
    if (ended.transactions.empty()) continue;
    TRY(ledger.write(
        [&](LedgerWriter& writer) { return forget(writer, ended.transactions, before); }));
    done += ended.transactions.size();
  }
  return done;
}

}  // namespace cmpost
