#include "processor/consent/rule_judgement.h"

#include <algorithm>

#include "processor/rulings/rule_tables.h"

namespace cmpost {
namespace {

std::string refusal_of(const RuleSettings& rule) {
  return "refused by the rules that hold here" + (rule.reason.empty() ? "" : ": " + rule.reason);
}

bool looks_at_active(const Evaluation& evaluation) {
  return std::ranges::any_of(evaluation.seen, [](const RuleSeen& one) {
    return one.rule->condition(RuleField::active_certificates) != nullptr;
  });
}

// What the commit looks at once more: also where the count has excluded an earlier rule.
RuleGuard guard_of(const Evaluation& evaluation, const RuleFacts& facts, const ConsentPart& part) {
  RuleGuard guard{part.requester.device->row.id, {}};
  if (!looks_at_active(evaluation)) return guard;
  const auto* active = std::get_if<std::int64_t>(&facts.of(RuleField::active_certificates));
  const auto before = part.certificate == nullptr ? 0 : part.certificate->granted_before;
  if (active != nullptr) guard.active = *active - before;
  return guard;
}

class Judging {
 public:
  Judging(const Request& request, const ConsentPart& part, const Services& services)
      : request_(request), part_(part), services_(services) {}

  Result<RuleJudgement> run() {
    ASSIGN_OR_RETURN(facts_, gather_facts(request_, part_.requester, part_.certificate, services_));
    evaluation_ = evaluate(request_.channel->rules, facts_);
    TRY(take_verdict());
    auto& record = judgement_.record;
    record.certReqId = part_.certReqId;
    record.at = request_.likely;
    record.facts = facts_json(facts_);
    record.seen = seen_json(evaluation_, limit_);
    return std::move(judgement_);
  }

 private:
  Result<void> take_verdict() {
    const auto* rule = evaluation_.decides;
    if (rule == nullptr) {
      judgement_.people = request_.channel->approvals(body_name(request_.message.body));
      return {};
    }
    judgement_.record.rule = wording_of(*rule);
    if (evaluation_.unclear) {
      judgement_.record.outcome = RuleOutcome::unclear;
      judgement_.people =
          std::max(request_.channel->approvals(body_name(request_.message.body)), 1);
      return {};
    }
    return take_verdict(*rule);
  }

  Result<void> take_verdict(const RuleSettings& rule) {
    auto& outcome = judgement_.record.outcome;
    switch (rule.verdict) {
      case RuleVerdict::approve:
        return approve(rule);
      case RuleVerdict::one:
        outcome = RuleOutcome::one;
        judgement_.people = 1;
        return {};
      case RuleVerdict::two:
        outcome = RuleOutcome::two;
        judgement_.people = 2;
        return {};
      case RuleVerdict::reject:
        outcome = RuleOutcome::reject;
        judgement_.rejection = Rejection{PKIFailureInfo::notAuthorized, refusal_of(rule)};
        return {};
      case RuleVerdict::hold:
        outcome = RuleOutcome::hold;
        judgement_.held = true;
        judgement_.people = 1;
        return {};
    }
    return {};
  }

  Result<void> approve(const RuleSettings& rule) {
    judgement_.record.outcome = RuleOutcome::approve;
    if (part_.requester.device) {
      judgement_.guard = guard_of(evaluation_, facts_, part_);
    }
    if (!rule.limit) return {};
    const RuleUse use{judgement_.record.rule->digest, day_number(request_.likely), *rule.limit};
    ASSIGN_OR_RETURN(auto used, RuleTables(services_.ledger.connection()).uses(use.rule, use.day));
    used += std::ranges::count_if(part_.planned,
                                  [&](const RuleUse& one) { return equal(one.rule, use.rule); });
    limit_ = LimitSeen{std::to_string(use.most) + " a day", std::to_string(used) + " today",
                       used < use.most};
    if (limit_->left) {
      judgement_.use = use;
    } else {
      judgement_.record.outcome = RuleOutcome::used_up;
      judgement_.people = 1;
    }
    return {};
  }

  const Request& request_;
  const ConsentPart& part_;
  const Services& services_;
  RuleFacts facts_;
  Evaluation evaluation_;
  std::optional<LimitSeen> limit_;
  RuleJudgement judgement_;
};

}  // namespace

Result<RuleJudgement> judge_by_rules(const Request& request, const ConsentPart& part,
                                     const Services& services) {
  return Judging(request, part, services).run();
}

}  // namespace cmpost
