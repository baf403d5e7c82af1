// What is known of a part of a request, for rules.
#pragma once

#include <optional>

#include "ca/profile/profile.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/rules/rule_facts.h"

namespace cmpost {

// A certificate as far as it is known what it would be. Borrowed.
struct CertificateToBe {
  const Profile& profile;
  const Name& subject;
  const Extensions& extensions;
  const PublicKey* key = nullptr;      // nullptr: it is made for the requester
  std::optional<Duration> validity{};  // nullopt: somebody else decides
  std::int64_t granted_before = 0;     // so many come before it in the same message
};
// `certificate`: nullptr where none is asked for. An Error where the ledger cannot be read.
Result<RuleFacts> gather_facts(const Request& request, const Requester& requester,
                               const CertificateToBe* certificate, const Services& services);

}  // namespace cmpost
