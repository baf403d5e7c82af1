#include "processor/rulings/rule_tables.h"

#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kRuleMigrations = {
    {1, R"sql(
CREATE TABLE rule_wording (
  hash BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  first_used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE rule_verdict (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL,
  cert_req_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_hash BLOB NOT NULL,
  facts TEXT NOT NULL,
  seen TEXT NOT NULL
);
CREATE INDEX rule_verdict_by_tx ON rule_verdict (tx);
CREATE TABLE rule_use (
  rule_hash BLOB NOT NULL,
  day INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (rule_hash, day)
) WITHOUT ROWID;
)sql"},
};

Result<void> RuleTables::add(std::int64_t transaction, const RuleRecord& record) {
  const auto& rule = record.rule;
  if (rule) {
    TRY(change(connection_, "INSERT OR IGNORE INTO rule_wording VALUES (?, ?, ?, ?)", rule->digest,
               rule->name, rule->text, record.at));
  }
  TRY(change(connection_,
             "INSERT INTO rule_verdict (tx, cert_req_id, at, outcome, rule, rule_hash, facts, "
             "seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
             transaction, record.certReqId, record.at, to_string(record.outcome),
             rule ? rule->name : std::string(), rule ? to_bytes(rule->digest) : Bytes(),
             record.facts, record.seen));
  return {};
}

Result<std::vector<StoredRuling>> RuleTables::of_transaction(std::int64_t transaction) {
  const auto read = [](Row& row) -> Result<StoredRuling> {
    StoredRuling one;
    row.into(one.certReqId, one.at);
    const auto word = row.next<std::string_view>();
    const auto outcome = rule_outcome(word);
    if (!outcome) {
      return hold("the ledger has a verdict of a rule with the unknown outcome " + printable(word),
                  "restore the ledger from a backup");
    }
    one.outcome = *outcome;
    row.into(one.rule, one.rule_hash, one.facts, one.seen);
    return one;
  };
  return all(connection_,
             "SELECT cert_req_id, at, outcome, rule, rule_hash, facts, seen FROM rule_verdict "
             "WHERE tx = ? ORDER BY id",
             read, transaction);
}

Result<std::vector<RuleWording>> RuleTables::wordings() {
  const auto read = [](Row& row) {
    RuleWording one;
    row.into(one.digest, one.name, one.text);
    return one;
  };
  return all(connection_, "SELECT hash, name, text FROM rule_wording ORDER BY name, first_used",
             read);
}

Result<std::optional<std::string>> RuleTables::wording(ByteView digest) {
  return one(connection_, "SELECT text FROM rule_wording WHERE hash = ?", column<std::string>,
             digest);
}

Result<std::int64_t> RuleTables::uses(const Sha256& rule, std::int64_t day) {
  ASSIGN_OR_RETURN(const auto uses,
                   one(connection_, "SELECT n FROM rule_use WHERE rule_hash = ? AND day = ?",
                       column<std::int64_t>, rule, day));
  return uses.value_or(0);
}

Result<bool> RuleTables::use(const RuleUse& use) {
  TRY(change(connection_, "INSERT OR IGNORE INTO rule_use VALUES (?, ?, 0)", use.rule, use.day));
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_, "UPDATE rule_use SET n = n + 1 WHERE rule_hash = ? AND day = ? AND n < ?",
             use.rule, use.day, use.most));
  return changed == 1;
}

}  // namespace cmpost
