// Change of a root CA's key (RFC 9810 4.4, R-181).
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// The four certificates of one change: the two self-signed ones and the links between them.
struct CaRollover {
  Certificate oldWithOld, newWithNew, newWithOld, oldWithNew;
};

struct NewCaKey {
  const PrivateKey& key;
  Time notBefore{};  // of newWithNew and newWithOld
  Time notAfter{};   // of newWithNew
};

// Signs the new root and both links with the validities of RFC 9810 4.4.1. An Error when `old` is
// not self-signed, is over already, or would outlive the new root.
Result<CaRollover> make_rollover(const Certificate& old, const PrivateKey& old_key,
                                 const NewCaKey& next, Random& random);

// Tells the four certificates of a file apart and verifies the signatures of the links.
Result<CaRollover> recognise_rollover(const std::vector<Certificate>& certificates);

// All four, oldWithOld first.
std::string to_pem(const CaRollover& rollover);

}  // namespace cmpost
