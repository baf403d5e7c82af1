// One message on its way through the processor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cmp/pki_failure_info.h"
#include "cmp/pki_message.h"
#include "processor/rights/channel_policy.h"
#include "processor/rights/requester.h"
#include "processor/transaction/consent_object.h"
#include "processor/transaction/waiting.h"

namespace cmpost {

// What the header asks for, checked.
struct HeaderWishes {
  bool implicitConfirm = false;
  std::vector<std::string> certProfile;  // one per CertReqMsg, one for all, or none
};

struct Request {
  PKIMessage message;
  Bytes der;  // as received
  Sha256 digest{};
  // A follow-up without extraCerts: those of the message that has opened the transaction (RFC 9483
  // 3.3).
  std::vector<CMPCertificate> earlier_certs;
  std::string source;  // how it came, for people: Envelope::source
  std::string peer;    // where the answer goes, as far as the channel tells peers apart
  const ChannelPolicy* channel = nullptr;
  HeaderWishes wishes;
  // One time for all decisions about it: of the wall clock, and for what is due and what begins
  // (ProcessorServices).
  Time now{}, sure{}, likely{};
  // A request that has waited comes back: what has been decided about it meanwhile, and whether the
  // time for that is over.
  const Waiting* waited = nullptr;
  bool overdue = false;
  // Only while the octets of a request that has waited are judged again: the signature was right
  // when they were stored. Who has made it, and whether it is to be believed, is judged all the
  // same.
  bool signature_known = false;
  // The registration authority that agrees to the request by its protection (RFC 9483 5.2.2.1,
  // 5.2.3), in words: Requester::text(). Empty: none.
  std::string endorsed_by;
  // popdecr has come for it: whose challenges were answered rightly.
  std::optional<std::vector<std::int64_t>> challenges_met{};
  // The credential that has opened the transaction, if it is a follow-up (Requester::credential).
  std::string opened_by;
  // Of a request that comes back in whatever way: the row of its transaction, else 0.
  std::int64_t transaction = 0;
};

// Whether a part of a request may be granted now.
struct Consent {
  enum class What {
    granted,  // nobody has to be asked, or they have agreed
    needed,   // somebody, or a rule, has to be asked, for the first time or again
    agreed,   // they have agreed to something: consent.h knows whether to this
    pending,  // they have not said anything yet
    refused,
    settled,  // has its answer
  } what = What::granted;
  std::optional<Rejection> rejection{};  // refused
};
// As far as can be said before it is known what would be granted.
Consent consent_for(const Request& request, std::int64_t certReqId);
// Nobody was asked about it yet: it has just come, or is judged as if it had; or a rule has agreed.
bool is_fresh(const Request& request, std::int64_t certReqId);
// Rules have a say in it: consent_for() knows only that they have to be asked.
bool asks_rules(const Request& request);
// Of so many who have to agree, those who have not: the approval of a registration authority stands
// for that of one person.
int people_left(const Request& request, int people);
// What every object begins with: what is asked for by whom, how it came, and the message itself.
ConsentObject begin_object(const Request& request, const Requester& requester);

}  // namespace cmpost
