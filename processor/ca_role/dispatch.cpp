#include "processor/ca_role/dispatch.h"

#include "processor/admission/message_audit.h"
#include "processor/ca_role/consent_words.h"
#include "processor/consent/consent.h"
#include "processor/transaction/audit_detail.h"

namespace cmpost {
namespace {

using Handler = Outcome<Answer> (*)(const Request&, const Requester&, CaServices&);

Handler handler_of(const PKIBody& body) {
  if (std::holds_alternative<body::ir>(body) || std::holds_alternative<body::cr>(body) ||
      std::holds_alternative<body::kur>(body) || std::holds_alternative<body::ccr>(body)) {
    return handle_certification;
  }
  if (std::holds_alternative<body::krr>(body)) return handle_recovery;
  if (std::holds_alternative<body::p10cr>(body)) return handle_p10cr;
  if (std::holds_alternative<body::rr>(body)) return handle_revocation;
  if (std::holds_alternative<body::genm>(body)) return handle_genm;
  return nullptr;
}

// ir, cr, kur, ccr, p10cr and krr ask for consent themselves.
bool waits_as_a_whole(const PKIBody& body) {
  return std::holds_alternative<body::rr>(body) || std::holds_alternative<body::genm>(body);
}

// Whatever would happen by the answer, or be told by it, needs consent; what is refused does not.
bool needs_consent(const Answer& answer) { return !answer.refused || answer.effects.grants(); }

std::string subject_of(const PKIBody& body) {
  const auto* rr = std::get_if<body::rr>(&body);
  if (rr == nullptr) return std::string(body_name(body));
  std::string text;
  for (const auto& one : rr->details) {
    text += text.empty() ? "revocation of " : ", ";
    text += one.certDetails.serialNumber ? to_hex(*one.certDetails.serialNumber) : "?";
  }
  return text;
}

// what is refused about rr is said in rp, of everything else in an error.
Answer refuse(const PKIBody& body, const Rejection& rejection) {
  const auto* rr = std::get_if<body::rr>(&body);
  if (rr == nullptr) return refusal(rejection);
  Answer answer;
  answer.refuse(rejection);
  RevRepContent content;
  for (std::size_t i = 0; i < rr->details.size(); ++i) {
    content.status.push_back(status_of_many(rejection, i));
  }
  answer.body = body::rp{std::move(content)};
  return answer;
}

Answer wait(const Request& request, const ConsentObject& object, const JudgedConsent& consent) {
  Answer waits;
  waits.body = waiting_error();
  waits.outcome = "waits for approval";
  waits.undecided.push_back(
      ask_people(request, kWholeMessage, subject_of(request.message.body), object, consent));
  return waits;
}

Result<ConsentObject> object_of(const Request& request, const Requester& requester,
                                const Answer& answer, CaServices& services) {
  auto object = begin_object(request, requester);
  if (const auto* genm = std::get_if<body::genm>(&request.message.body)) {
    for (const auto& item : genm->items) object.add("asks about", item.infoType.name());
  }
  TRY(describe_effects(answer.effects, services, object));
  return object;
}

// `answer` is what would happen, and does where people have agreed to that.
Outcome<Answer> hold_against_consent(Answer answer, const Request& request,
                                     const Requester& requester, CaServices& services) {
  ASSIGN_OR_RETURN(const auto object, object_of(request, requester, answer, services));
  ASSIGN_OR_RETURN(const auto consent,
                   consent_to(request, {kWholeMessage, object, requester}, services));
  if (consent.what != Consent::What::granted) {
    answer = consent.rejection ? refuse(request.message.body, *consent.rejection)
                               : wait(request, object, consent);
  } else {
    note_granted(consent, answer.effects);
    if (consent.by_people) {
      answer.effects.audit.push_back(granted_entry(request, kWholeMessage, object, {}));
    }
  }
  note_ruling(request, consent, object, answer.effects);
  return answer;
}

Outcome<Answer> with_consent(Handler handler, const Request& request, const Requester& requester,
                             CaServices& services) {
  using What = Consent::What;
  const auto consent = consent_for(request, kWholeMessage);
  if (consent.rejection) return refuse(request.message.body, *consent.rejection);
  if (consent.what == What::pending || consent.what == What::settled) {
    return hold("there is nothing to decide about the request");
  }
  ASSIGN_OR_RETURN(auto answer, handler(request, requester, services));
  if (consent.what == What::granted || !needs_consent(answer)) return answer;
  return hold_against_consent(std::move(answer), request, requester, services);
}

}  // namespace

Outcome<Answer> dispatch(const Request& request, const Requester& requester, CaServices& services) {
  const auto& body = request.message.body;
  const auto handler = handler_of(body);
  if (handler == nullptr) {
    return reject(
        PKIFailureInfo::badRequest,
        "a message with the body " + std::string(body_name(body)) + " is not served here");
  }
  TRY(check_right(requester.rights, wanted::Message{body}));
  if (waits_as_a_whole(body)) return with_consent(handler, request, requester, services);
  return handler(request, requester, services);
}

}  // namespace cmpost
