#include "app/officers/rule_test.h"

#include <map>
#include <nlohmann/json.hpp>

#include "app/records/ruling_output.h"
#include "app/terminal/output.h"
#include "base/printable.h"
#include "processor/explanation/facts_again.h"
#include "processor/records/request_listing.h"
#include "processor/transaction/stored_request.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using nlohmann::json;

RuleFact fact_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_object() && value.contains("unknown")) {
    const auto& why = value["unknown"];
    return UnknownFact{why.is_string() ? why.get<std::string>() : std::string("?")};
  }
  return NoSuchFact{};
}

// What facts_json() has made. A field that it did not know is not known.
RuleFacts facts_of(const std::string& text) {
  RuleFacts facts;
  const auto read = json::parse(text, nullptr, false);
  for (std::size_t i = 0; i < kRuleFields; ++i) {
    const auto field = rule_field_at(i);
    const auto key = std::string(to_string(field));
    const bool known = read.is_object() && read.contains(key);
    facts.set(field, known ? fact_of(read[key]) : UnknownFact{"it was not recorded"});
  }
  return facts;
}

struct Tested {
  std::int64_t certReqId = 0;
  RuleFacts facts;
  bool recorded = false;  // when it came; else as it would be known now
};

class Test {
 public:
  Test(const RuleTestWords& words, const CommonOptions& common, Instance& instance,
       LedgerReader& ledger)
      : words_(words), common_(common), instance_(instance), ledger_(ledger) {}

  Result<ExitCode> run() {
    ASSIGN_OR_RETURN(const auto filter, words_.list.read(instance_));
    ASSIGN_OR_RETURN(const auto listed,
                     list_requests(ledger_.connection(), filter, [&](const ListedRequest& one) {
                       return one.refused ? Result<void>() : look(one);
                     }));
    if (common_.json) {
      print_json(shown_);
    } else {
      sum_up(left_out(filter, listed.all));
    }
    return ExitCode::ok;
  }

 private:
  // Of the first look at each part; what a later one saw has people's verdicts in it.
  Result<std::vector<Tested>> recorded(const Transaction& transaction) {
    ASSIGN_OR_RETURN(const auto rulings,
                     RuleTables(ledger_.connection()).of_transaction(transaction.id));
    std::map<std::int64_t, Tested> first;
    for (const auto& one : rulings) {
      first.try_emplace(one.certReqId, Tested{one.certReqId, facts_of(one.facts), true});
    }
    std::vector<Tested> tested;
    for (auto& [id, one] : first) tested.push_back(std::move(one));
    return tested;
  }

  Result<std::vector<Tested>> recollected(const Transaction& transaction) {
    std::vector<Tested> tested;
    ASSIGN_OR_RETURN(const auto services, instance_.services());
    ASSIGN_OR_RETURN(const auto stored,
                     TransactionTable(ledger_.connection()).first_message(transaction.id));
    if (!stored || stored->request.empty()) return tested;
    ASSIGN_OR_RETURN(const auto der, request_in(*stored, services.sealing_key));
    const auto message = decode(der);
    if (!message) return tested;
    ASSIGN_OR_RETURN(const auto parts,
                     facts_again({*message, der, stored->digest, stored->channel, stored->at},
                                 ledger_, services));
    for (const auto& one : parts) tested.push_back({one.certReqId, one.facts, false});
    return tested;
  }

  Result<void> look(const ListedRequest& listed) {
    ASSIGN_OR_RETURN(const auto transaction,
                     TransactionTable(ledger_.connection()).find(listed.id));
    if (!transaction || !any_about(instance_.settings().rules, transaction->body)) return {};
    ASSIGN_OR_RETURN(auto parts, recorded(*transaction));
    if (parts.empty()) {
      ASSIGN_OR_RETURN(parts, recollected(*transaction));
    }
    if (parts.empty()) ++unknown_;
    for (const auto& part : parts) show(listed, part);
    return {};
  }

  static RuleOutcome outcome_of(const Evaluation& evaluation) {
    if (evaluation.decides == nullptr) return RuleOutcome::channel;
    if (evaluation.unclear) return RuleOutcome::unclear;
    switch (evaluation.decides->verdict) {
      case RuleVerdict::approve:
        return RuleOutcome::approve;
      case RuleVerdict::one:
        return RuleOutcome::one;
      case RuleVerdict::two:
        return RuleOutcome::two;
      case RuleVerdict::reject:
        return RuleOutcome::reject;
      case RuleVerdict::hold:
        return RuleOutcome::hold;
    }
    return RuleOutcome::channel;
  }

  void show(const ListedRequest& listed, const Tested& part) {
    const auto evaluation = evaluate(instance_.settings().rules, part.facts);
    const auto rule = evaluation.decides == nullptr ? std::string() : evaluation.decides->name;
    if (!words_.rule.empty() && rule != words_.rule) return;
    const auto outcome = outcome_of(evaluation);
    ++counts_[outcome_in_words(outcome, rule)];
    const auto seen = seen_json(evaluation, {});
    if (common_.json) {
      shown_.push_back({{"tid", to_hex(listed.transactionID)},
                        {"certReqId", part.certReqId},
                        {"body", listed.body},
                        {"channel", listed.channel},
                        {"subject", printable(listed.subject, 1000)},
                        {"outcome", to_string(outcome)},
                        {"rule", rule},
                        {"recorded", part.recorded},
                        {"rules", json::parse(seen, nullptr, false)}});
      return;
    }
    print_line(to_hex(listed.transactionID) + ":" + std::to_string(part.certReqId) + "  " +
               listed.body + "  " + printable(listed.subject, 60) + "  " +
               outcome_in_words(outcome, rule) + (part.recorded ? "" : " (by what is known now)"));
    if (words_.explain) print_rules_seen(seen);
  }

  void sum_up(std::int64_t left) {
    print_line("");
    for (const auto& [text, count] : counts_) print_line(std::to_string(count) + "  " + text);
    if (unknown_ > 0) {
      print_line(std::to_string(unknown_) +
                 "  cannot be told: the message is not kept any more, or its sender is not "
                 "believed now");
    }
    if (left > 0) print_line(std::to_string(left) + " older ones were not looked at: --limit");
    print_line("nothing was changed; limits are not counted");
  }

  const RuleTestWords& words_;
  const CommonOptions& common_;
  Instance& instance_;
  LedgerReader& ledger_;
  std::map<std::string, std::int64_t> counts_;
  std::int64_t unknown_ = 0;
  json shown_ = json::array();
};

Result<void> check_rule(const std::string& name, const Settings& settings) {
  if (name.empty()) return {};
  for (const auto& rule : settings.rules) {
    if (rule.name == name) return {};
  }
  return wrong_usage("no rule has the name " + printable(name), "`cmpost rule list` has them");
}

Result<ExitCode> test_rules(const RuleTestWords& words, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  TRY(check_rule(words.rule, instance->settings()));
  ASSIGN_OR_RETURN(const auto ledger, instance->look_into_ledger());
  return Test(words, common, *instance, *ledger).run();
}

}  // namespace

void add_rule_test(CLI::App& rule, RuleTestWords& words, CommandLine line) {
  auto* test = rule.add_subcommand(
      "test", "which rule would decide each request that has come; changes nothing");
  test->add_option("--rule", words.rule, "only what this rule would decide");
  test->add_flag("--explain", words.explain, "each rule with the values that it sees");
  words.list.offer(*test, {.filters = {FilterBy::time, FilterBy::channel, FilterBy::subject,
                                       FilterBy::requester},
                           .newest_first = true});
  auto* common = &line.options;
  test->callback([=, &words] { line.action = [=, &words] { return test_rules(words, *common); }; });
}

}  // namespace cmpost
