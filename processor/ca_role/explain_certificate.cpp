#include "processor/ca_role/explain_certificate.h"

#include "ca/lint/lint.h"
#include "processor/ca_role/certificate_request.h"
#include "processor/ca_role/renewal.h"
#include "processor/possession/proof_of_possession.h"

namespace cmpost {
namespace {

// One message on its way through the checks of its parts.
class Again : private VerdictsSoFar {
 public:
  Again(const Request& request, const Requester& requester, CaServices& services)
      : request_(request), requester_(requester), services_(services) {}

  Result<CheckVerdicts> run() {
    TRY(check_body());
    return std::move(verdicts_);
  }

 private:
  // A verdict for what a step of the processor has said; false when it failed.
  template <typename T>
  bool note(const std::string& title, const tl::expected<T, Rejection>& result,
            std::string detail = {}) {
    if (!result) {
      fail(about_ + title, words_of(result.error()));
      return false;
    }
    pass(about_ + title, std::move(detail));
    return true;
  }
  template <typename T>
  bool note(PartCheck check, const tl::expected<T, Rejection>& result, std::string detail = {}) {
    return note(title_of(check), result, std::move(detail));
  }

  Result<void> check_body() {
    const auto& body = request_.message.body;
    if (const auto* requests = cert_requests(body)) {
      for (const auto& one : *requests) TRY(check_request(one));
    } else if (const auto* p10cr = std::get_if<body::p10cr>(&body)) {
      TRY(check_p10cr(p10cr->request));
    }
    return {};
  }

  Result<void> check_request(const CertReqMsg& message) {
    about_ = "request " + std::to_string(message.certReq.certReqId) + ": ";
    const bool fields =
        note(PartCheck::certTemplate, check_fields(message, request_, requester_, services_));
    ASSIGN_OR_RETURN(const bool possession, check_possession(message));
    ASSIGN_OR_RETURN(const auto proven, apart(prove(message, request_, requester_, services_)));
    // What it looks at besides: keys to be made here or archived, tokens.
    if (!proven && fields && possession) fail(about_ + "keys and tokens", words_of(proven.error()));
    if (!proven) {
      skip(about_ + "certificate", "the request is not proven");
      return {};
    }
    if (std::holds_alternative<body::kur>(request_.message.body)) return check_renewal(message);
    return check_certificate(*proven);
  }

  // False: it is wrong.
  Result<bool> check_possession(const CertReqMsg& message) {
    if (!has_key(message.certReq.certTemplate)) {
      skip(about_ + title_of(PartCheck::possession), "the key is made here");
      return true;
    }
    ASSIGN_OR_RETURN(const auto possession,
                     apart(verify_pop(message, request_, requester_, services_)));
    return note(PartCheck::possession, possession);
  }

  // What a kur leaves out is taken from the certificate that it renews.
  Result<void> check_renewal(const CertReqMsg& message) {
    ASSIGN_OR_RETURN(const auto prepared,
                     apart(prepare_renewal(message, request_, requester_, services_)));
    if (!note("renewal", prepared)) return {};
    return check_profile(prepared->proven);
  }

  Result<void> check_p10cr(const CertificationRequest& wanted) {
    about_ = "request: ";
    auto key = verify_pop(wanted, requester_);
    if (!note(PartCheck::possession, key)) {
      skip(about_ + "certificate", "the request is not proven");
      return {};
    }
    auto name = profile_name(request_, kWholeMessage);
    if (!name) {
      fail(about_ + title_of(PartCheck::profile), words_of(name.error()));
      return {};
    }
    const ProvenRequest proven{kWholeMessage,
                               {wanted.subject, std::move(*key), wanted.extensions, {}, {}},
                               std::move(*name)};
    return check_certificate(proven);
  }

  Result<void> check_certificate(const ProvenRequest& proven) {
    may_ask_ = note(PartCheck::subject, authorise(proven, request_, requester_),
                    proven.wish.subject.text());
    return check_profile(proven);
  }

  Result<void> check_profile(const ProvenRequest& proven) {
    const auto profile = pick_profile(proven.certProfile, *request_.channel);
    if (!note(PartCheck::profile, profile, profile ? (*profile)->name() : "")) return {};
    return check_plan(proven, **profile);
  }

  Result<void> check_plan(const ProvenRequest& proven, const Profile& profile) {
    const auto& issuer = services_.authority.issuer;
    const auto plan = profile.plan(proven.wish, request_.now, issuer.latest_not_after());
    if (!plan) {
      fail(about_ + title_of(PartCheck::rules), words_of(to_rejection(plan.error())));
      return {};
    }
    std::string changes;
    for (const auto& change : plan->changes) changes += (changes.empty() ? "" : "; ") + change;
    pass(about_ + title_of(PartCheck::rules),
         changes.empty() ? "as asked for" : "with changes: " + changes);
    if (may_ask_) {
      note("what comes of it is the requester's to have",
           plan_for(proven, profile, request_, requester_, services_), plan->subject.text());
    }
    ASSIGN_OR_RETURN(const Bytes tbs, issuer.prepare(*plan));
    const auto lint = lint_for(profile.settings(), tbs, issuer.certificate());
    if (!lint) {
      fail(about_ + title_of(PartCheck::lint), words_of(to_rejection(lint.error())));
    } else {
      pass(about_ + title_of(PartCheck::lint), words_for(*lint, LintFinding::Level::warning));
    }
    return {};
  }

  const Request& request_;
  const Requester& requester_;
  CaServices& services_;
  std::string about_;
  bool may_ask_ = true;  // what has been refused is not refused again
};

}  // namespace

Result<CheckVerdicts> explain_certificates(const Request& request, const Requester& requester,
                                           CaServices& services) {
  return Again(request, requester, services).run();
}

}  // namespace cmpost
