// Waiting requests and the verdicts on them in the ledger database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "processor/transaction/waiting.h"
#include "store/connection.h"

namespace cmpost {

// What somebody decided about a part.
struct Vote {
  std::int64_t certReqId = kWholeMessage;
  bool approves = false;
  std::string who;      // tells people apart
  std::string account;  // of the operating system; does so where the channel says so
  Time at{};
  std::string reason;
  Bytes object;            // the digest of what was decided about
  std::int64_t round = 0;  // WaitingPart::round at that time
  std::int64_t uid = -1;   // of the account; this and the next for the audit record only
  std::string sudo_user{};
  Bytes signature{};  // CMS SignedData of an officer (officers/verdict_text.h); empty: none
};

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class WaitTable {
 public:
  explicit WaitTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<Waiting>> find(std::int64_t transaction);
  // Stores a new one; `waiting.transaction` is the row id of its transaction.
  Result<void> add(const Waiting& waiting);
  // Replaces the one that had version `after.version - 1`; false when it has moved on since. The
  // parts only where they have changed.
  enum class Parts { as_they_were, changed };
  Result<bool> replace(const Waiting& after, Parts parts);

  // Row ids of transactions that the processor has to go on with at `now`: with decided parts, or
  // with a timer that has run out; ordered, and greater than `after`.
  Result<std::vector<std::int64_t>> due(Time now, std::int64_t after, std::size_t limit);
  // How many undecided transactions there are, and when the oldest of them came.
  struct Backlog {
    std::size_t undecided = 0;
    std::optional<Time> oldest;
    std::size_t unlisted = 0;  // transactions that wait for the row of their device
  };
  Result<Backlog> backlog();

  Result<void> add(std::int64_t transaction, const Vote& verdict);
  Result<std::vector<Vote>> verdicts(std::int64_t transaction);

 private:
  Result<void> put_parts(const Waiting& waiting);
  Result<std::vector<WaitingPart>> parts(std::int64_t transaction);

  Connection& connection_;
};

}  // namespace cmpost
