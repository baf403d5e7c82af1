// What finding out who sent a message, and answering it, may use.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "ca/ledger/ledger.h"
#include "crypto/secrets/seal.h"
#include "processor/admission/identity.h"
#include "processor/credentials/protection_tables.h"

namespace cmpost {

struct EnvelopeLog;

// What has come of the tokens in the message that is worked on: those (secret_key) with the
// requests that use them, and those that were wrong.
struct TokenLog {
  std::vector<std::pair<std::string, std::int64_t>> used{};
  std::vector<SecretFailure> failures{};
};

// One for each message that is worked on; `ledger` is the worker's own connection.
struct Services {
  const Identity& identity;
  LedgerReader& ledger;
  const SealingKey& sealing_key;
  Random& random;
  TokenLog& tokens;
  // What becomes of received envelopes; nullptr where nothing is to be noted.
  EnvelopeLog* envelopes = nullptr;
};

}  // namespace cmpost
