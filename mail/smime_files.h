// The certificates and keys that a channel's `smime` names.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/transport/mail_settings.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// What the channel itself decrypts and signs with.
struct SmimeIdentity {
  Certificate certificate;
  std::vector<Certificate> helpers;  // that stand behind it in the file
  PrivateKey key;
};
// An Error (hold) names the file. The key must belong to the certificate.
Result<SmimeIdentity> read_smime_identity(const SmimeSettings& settings);
Result<std::vector<Certificate>> read_smime_trust(const SmimeSettings& settings);

}  // namespace cmpost
