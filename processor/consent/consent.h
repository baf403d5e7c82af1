// The last word on a part of a request: what rules say of it, and whether people have agreed.
#pragma once

#include "base/seldom.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/consent/gather_facts.h"
#include "processor/rulings/rule_record.h"
#include "processor/transaction/effects.h"

namespace cmpost {

struct JudgedConsent : Consent {
  int people = 0;          // needed: so many have to agree, the protection of an RA among them
  bool held = false;       // needed: and nobody can, as long as a rule says so
  bool by_people = false;  // granted: they have agreed to this
  std::string why{};       // needed: why what was agreed to is not enough
  // Where rules were asked.
  Seldom<RuleRecord> record{};
  std::optional<RuleUse> use{};      // granted: by a rule that does so only so often
  std::optional<RuleGuard> guard{};  // granted: by a rule
};

// A part as it would be granted now.
struct ConsentPart {
  std::int64_t certReqId = 0;
  const ConsentObject& object;
  const Requester& requester;
  const CertificateToBe* certificate = nullptr;  // nullptr: none is asked for
  // Uses of rules that come before it in the same message.
  std::vector<RuleUse> planned{};
};
// What rules say, each time anew (the world may have changed since people were asked); where none
// fits, what the channel says. Only what people were shown is granted by them; everything else is
// `needed`, a few times, then refused: who changes the settings under what waits shall not keep a
// requester waiting for ever. `people` that were asked for before are what a rule can rely on: that
// more are wanted now asks again.
Result<JudgedConsent> consent_to(const Request& request, const ConsentPart& part,
                                 const Services& services);
// Where no rule has a say (ChannelPolicy::needs_people).
JudgedConsent consent_of_people(const Request& request, std::int64_t certReqId,
                                const ConsentObject& object);

// What waits, or waits once more, for the consent that is needed.
WaitingPart ask_people(const Request& request, std::int64_t certReqId, std::string subject,
                       const ConsentObject& object, const JudgedConsent& consent);

// What is to be noted of it, whatever comes of the part; and, once it is granted, what counts.
void note_ruling(const Request& request, const JudgedConsent& consent, const ConsentObject& object,
                 Effects& effects);
void note_granted(const JudgedConsent& consent, Effects& effects);

}  // namespace cmpost
