// What an RA looks at before a request goes up (RFC 9483 5.1.1, 5.2.3): possession, names, rights.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/transaction/answer.h"

namespace cmpost {

// A certificate that is asked for, or all of another request.
struct JudgedPart {
  std::int64_t certReqId = kWholeMessage;
  std::string subject;  // in a word, for people who decide
  ConsentObject object;
  // Of a certificate: what rules look at.
  const Profile* profile = nullptr;
  Name wanted{};
  Extensions extensions{};
  std::optional<PublicKey> key{};  // nullopt: the CA makes it
};

// One that a certificate is asked for.
struct WantedKey {
  Bytes spki;
  Name subject;
  bool fresh = false;     // its profile wants it to have no certificate (reuse_key = "deny")
  std::int64_t seen = 0;  // fresh: as in FreshKey
};

struct Judged {
  std::vector<JudgedPart> parts;     // as many as the answer will have
  std::set<std::string> profiles{};  // of its certificates; "" for one that is not known
  std::vector<std::string> tokens{};
  std::vector<WantedKey> keys{};
  std::size_t certificates = 0;  // that would be brought by it
  // Possession of some key is proven by certConf alone, or by popdecr.
  bool by_certificate = false, by_challenge = false;
};

// The requester has the keys, and may have what it asks for, by the same rights as at a CA: the
// profiles of the channel bound what is asked for here; what becomes of it is the CA's. The first
// Rejection, as a CA would give it. Changes nothing.
Outcome<Judged> judge_request(const Request& request, const Requester& requester,
                              Services& services);

// What is refused about all parts of a request: typed where its body is, else an error (RFC 9483
// 3.6.2).
Answer refuse_all(const PKIBody& body, const Rejection& rejection);
// All parts of it wait: ip, cp, kup with that status, else an error.
PKIBody waiting_answer(const PKIBody& body);

}  // namespace cmpost
