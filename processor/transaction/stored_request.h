// Requests as the ledger keeps them: one with a regToken or an authenticator, which travel in clear
// (RFC 4211 6.1, 6.2), lies there sealed.
#pragma once

#include "cmp/pki_message.h"
#include "crypto/secrets/seal.h"
#include "processor/transaction/transaction.h"

namespace cmpost {

bool has_token(const PKIMessage& message);
// Before it is stored. The digest, by which duplicates are known, stays that of what came.
Result<void> seal_request(StoredMessage& message, const SealingKey& key, Random& random);
// The octets that came.
Result<Bytes> request_in(const StoredMessage& message, const SealingKey& key);

}  // namespace cmpost
