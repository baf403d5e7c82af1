// Verdicts of rules, their wordings and their uses in the ledger database.
#pragma once

#include <vector>

#include "processor/rulings/rule_record.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kRuleMigrations;

// A verdict as the ledger has it: of its rule the name and the digest.
struct StoredRuling {
  std::int64_t certReqId = 0;
  Time at{};
  RuleOutcome outcome = RuleOutcome::channel;
  std::string rule;  // empty: none
  Bytes rule_hash;
  std::string facts, seen;
};

// A view on a connection; thread and durability are the connection's.
class RuleTables {
 public:
  explicit RuleTables(Connection& connection) : connection_(connection) {}

  // Keeps the wording too, once.
  Result<void> add(std::int64_t transaction, const RuleRecord& record);
  // In the order in which they were made.
  Result<std::vector<StoredRuling>> of_transaction(std::int64_t transaction);
  // All that have ever decided, by their names.
  Result<std::vector<RuleWording>> wordings();
  // nullopt: it has never decided.
  Result<std::optional<std::string>> wording(ByteView digest);

  Result<std::int64_t> uses(const Sha256& rule, std::int64_t day);
  // False, and nothing has changed: it was used as often as it may be.
  Result<bool> use(const RuleUse& use);

 private:
  Connection& connection_;
};

}  // namespace cmpost
