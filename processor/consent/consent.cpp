#include "processor/consent/consent.h"

#include <algorithm>

#include "processor/admission/message_audit.h"
#include "processor/consent/rule_judgement.h"

namespace cmpost {
namespace {

constexpr std::int64_t kMostRounds = 5;

void refuse(JudgedConsent& consent, PKIFailureInfo bit, std::string text) {
  consent.what = Consent::What::refused;
  consent.rejection = Rejection{bit, std::move(text)};
}

void ask(JudgedConsent& consent, int people, std::string why = {}) {
  consent.what = Consent::What::needed;
  consent.people = people;
  consent.why = std::move(why);
}

// What has changed since they were asked.
std::string why_again(const WaitingPart& before, const ConsentObject& object) {
  if (before.object.empty()) return "what it is about was not recorded when it came";
  const auto shown = read_consent_object(before.object);
  return shown ? difference(*shown, object) : shown.error().what;
}

std::string people_wanted(int people, const RuleRecord& record) {
  const auto rule = record.rule ? "the rule '" + record.rule->name + "'" : "the channel";
  return rule + " now wants " + std::to_string(people) + " people to agree";
}

// Nobody has been asked yet, or everything is judged anew.
void judge_fresh(const Request& request, const RuleJudgement* rules, JudgedConsent& consent) {
  const int people = rules != nullptr ? rules->people
                                      : request.channel->approvals(body_name(request.message.body));
  if (people_left(request, people) > 0) return ask(consent, people);
  consent.what = Consent::What::granted;
}

// They have agreed to what is stored.
void judge_agreed(const WaitingPart& part, const ConsentObject& object, const RuleJudgement* rules,
                  JudgedConsent& consent) {
  std::string why;
  int people = part.people;
  if (rules != nullptr && rules->people > std::max(part.people, 1)) {
    people = rules->people;
    why = people_wanted(people, rules->record);
  } else if (part.object != encode_consent_object(object)) {
    why = why_again(part, object);
  } else {
    consent.what = Consent::What::granted;
    consent.by_people = true;
    return;
  }
  if (part.round < kMostRounds) return ask(consent, people, std::move(why));
  refuse(consent, PKIFailureInfo::systemUnavail,
         "what would be granted has changed after each approval; ask again");
}

bool is_open(const Consent& consent) {
  return consent.what == Consent::What::needed || consent.what == Consent::What::agreed;
}

// `rules`: nullptr where none has a say.
JudgedConsent judge(const Request& request, std::int64_t certReqId, const ConsentObject& object,
                    const RuleJudgement* rules) {
  JudgedConsent consent{consent_for(request, certReqId)};
  if (rules != nullptr) consent.record = rules->record;
  if (rules != nullptr && rules->rejection) {
    refuse(consent, rules->rejection->failInfo, rules->rejection->text);
  } else if (rules != nullptr && rules->held) {
    consent.held = true;
    ask(consent, rules->people);
  } else if (is_fresh(request, certReqId)) {
    judge_fresh(request, rules, consent);
  } else {
    judge_agreed(*request.waited->part(certReqId), object, rules, consent);
  }
  const bool by_rule = consent.what == Consent::What::granted && !consent.by_people;
  if (rules == nullptr || !by_rule) return consent;
  consent.use = rules->use;
  consent.guard = rules->guard;
  return consent;
}

}  // namespace

Result<JudgedConsent> consent_to(const Request& request, const ConsentPart& part,
                                 const Services& services) {
  JudgedConsent consent{consent_for(request, part.certReqId)};
  if (!is_open(consent)) return consent;
  if (!asks_rules(request)) return judge(request, part.certReqId, part.object, nullptr);
  ASSIGN_OR_RETURN(const auto rules, judge_by_rules(request, part, services));
  return judge(request, part.certReqId, part.object, &rules);
}

JudgedConsent consent_of_people(const Request& request, std::int64_t certReqId,
                                const ConsentObject& object) {
  JudgedConsent consent{consent_for(request, certReqId)};
  return is_open(consent) ? judge(request, certReqId, object, nullptr) : consent;
}

WaitingPart ask_people(const Request& request, std::int64_t certReqId, std::string subject,
                       const ConsentObject& object, const JudgedConsent& consent) {
  WaitingPart part;
  part.certReqId = certReqId;
  part.subject = std::move(subject);
  part.object = encode_consent_object(object);
  if (consent.held) part.state = PartState::held;
  if (consent.record && consent.record->rule) part.rule = consent.record->rule->name;
  part.people = consent.people;
  const auto* before = request.waited == nullptr ? nullptr : request.waited->part(certReqId);
  if (before == nullptr || before->state == PartState::listed) return part;
  part.round = before->round + 1;
  part.why = consent.why.empty() ? why_again(*before, object) : consent.why;
  if (consent.held) part.why = "the rule '" + part.rule + "' holds it";
  return part;
}

void note_ruling(const Request& request, const JudgedConsent& consent, const ConsentObject& object,
                 Effects& effects) {
  if (!consent.record) return;
  effects.rule_records.push_back(*consent.record);
  if (!consent.record->rule) return;
  effects.audit.push_back(ruled_entry(request, *consent.record, object));
}

void note_granted(const JudgedConsent& consent, Effects& effects) {
  if (consent.use) effects.rule_uses.push_back(*consent.use);
  if (consent.guard) effects.rule_guards.push_back(*consent.guard);
}

}  // namespace cmpost
