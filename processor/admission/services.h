// What finding out who sent a message, and answering it, may use.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "ca/ledger/ledger.h"
#include "crypto/secrets/seal.h"
#include "processor/admission/authority.h"
#include "processor/credentials/protection_tables.h"

namespace cmpost {

struct EnvelopeLog;

// One for each message that is worked on; `ledger` is the worker's own connection.
struct Services {
  const Authority& authority;
  LedgerReader& ledger;
  const SealingKey& sealing_key;
  Random& random;
  // Of the message that is worked on: the tokens in it (secret_key) and the requests that use them,
  // and those that were wrong.
  std::vector<std::pair<std::string, std::int64_t>> tokens{};
  std::vector<SecretFailure> token_failures{};
  // What becomes of received envelopes; nullptr where nothing is to be noted.
  EnvelopeLog* envelopes = nullptr;
};

}  // namespace cmpost
