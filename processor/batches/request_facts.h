// What a message says of itself before anybody believes it: to tell requests apart.
#pragma once

#include <string>
#include <vector>

#include "asn1/name.h"
#include "cmp/pki_message.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

struct RequestFacts {
  Sha256 digest{};  // of the DER: what StoredMessage has
  Bytes transactionID;
  std::string body;          // "ir"
  Name subject;              // the first that is asked for; NULL-DN: none is
  std::vector<Sha256> keys;  // of each SubjectPublicKeyInfo that a certificate is asked for
  bool has_token = false;    // it carries a secret in clear (stored_request.h)
};

// A message that opens a transaction. What is in a nested message counts for its keys and, where it
// has no other, its subject. An Error (hold): it is none, with what it is instead.
Result<RequestFacts> read_request_facts(ByteView der, const MessageLimits& limits);

}  // namespace cmpost
