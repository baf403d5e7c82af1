// The answer to all requests for certificates of one message.
#pragma once

#include <optional>
#include <vector>

#include "processor/ca_role/certificate_request.h"
#include "processor/ca_role/renewal.h"
#include "processor/consent/consent.h"

namespace cmpost {

// Everything but possession: nobody is challenged for, or asked about, what cannot be granted.
// `granted` as with authorise().
Outcome<void> check_grantable(const ProvenRequest& proven, const Request& request,
                              const Requester& requester, CaServices& services,
                              std::size_t granted = 0);

// Builds it up: judge() for each request of the message, then add() for each. The arguments of the
// constructor outlive it.
class Certification {
 public:
  Certification(const Request& request, const Requester& requester, CaServices& services);

  // Before anything is granted, for each request of the message: what people have to say about what
  // would be.
  Outcome<void> judge(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                      const std::optional<Renewal>& renewal);
  // One CertResponse; an Error of ours is handed on, a Rejection becomes its status.
  Outcome<void> add(std::int64_t certReqId, const Checked<ProvenRequest>& proven,
                    const std::optional<Renewal>& renewal);
  Outcome<void> add_rejection(std::int64_t certReqId, const Rejection& rejection);

  // ip, cp, kup or ccp.
  template <typename Body>
  Answer finish() && {
    sum_up();
    auto anchors = std::is_same_v<Body, body::ip> ? ca_pubs() : std::nullopt;
    answer_.body = Body{{std::move(anchors), std::move(responses_)}};
    return std::move(answer_);
  }

 private:
  // What people have to say about one request.
  struct Judged {
    std::int64_t certReqId = 0;
    JudgedConsent consent;
    ConsentObject object;
  };

  bool issues() const { return !answer_.certificates.empty(); }
  const Judged* find_judged(std::int64_t certReqId) const;
  std::size_t asked_for() const;
  std::vector<RuleUse> planned_uses() const;
  Result<JudgedConsent> consent_about(const ProvenRequest& proven, const ConsentObject& object);
  std::size_t granted() const;
  Outcome<ConsentObject> describe(const ProvenRequest& proven,
                                  const std::optional<Renewal>& renewal);
  void note(const Renewal& renewal);
  Outcome<void> ask_for(const ProvenRequest& proven, const Judged* judged,
                        const std::optional<Renewal>& renewal);
  Outcome<Issued> decide(const ProvenRequest& proven);
  Outcome<CertifiedKeyPair> key_pair(const ProvenRequest& proven, const Certificate& certificate);
  Outcome<void> add_certificate(std::int64_t certReqId, const ProvenRequest& proven,
                                Issued&& issued, const std::optional<Renewal>& renewal);
  void sum_up();
  std::optional<std::vector<CMPCertificate>> ca_pubs() const;

  const Request& request_;
  const Requester& requester_;
  CaServices& services_;
  Answer answer_;
  std::vector<CertResponse> responses_;
  std::vector<Judged> judged_;
};

}  // namespace cmpost
