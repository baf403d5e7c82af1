// What requesters encrypt to keys of ours: private keys and revocation passphrases.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crypto/envelope/key_package.h"
#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/credentials/envelope_tables.h"

namespace cmpost {

// What opening envelopes leaves behind, whatever becomes of the request otherwise.
struct EnvelopeLog {
  std::vector<EnvelopeUse> uses;
  std::vector<EnvelopeFailure> failures;
  std::vector<std::string> reasons;  // for people, one for each failure
};

// Who has an envelope may change it and send it again, in his own name: EnvelopedData is not
// protected against that, and each difference in the answers would tell him something about the
// content (Vaudenay, Bleichenbacher). So there is one answer for everything that is wrong with an
// envelope, whether it is for somebody else, cannot be decrypted or makes no sense; the reason goes
// to the log and the audit alone. What depends on the content takes the same time. An envelope is
// the credential's that has sent it first, and a content-encryption key is that envelope's; after
// `envelopes.refuse_after` failures nothing is opened for that credential any more. Where the
// channel wants AuthEnvelopedData, everything else is refused unopened, and in other words.
//
// Nothing is noted where services have no EnvelopeLog.

// The tag of `enveloped` does not matter, everything else is a whole EnvelopedData or
// AuthEnvelopedData (RFC 5083). `belongs` is asked about what stands beside the key.
using KeyOwner = std::function<bool(const EncKeyWithID&)>;
Outcome<PrivateKey> open_private_key(Bytes enveloped, const PublicKey& key, const KeyOwner& belongs,
                                     const Request& request, const Requester& requester,
                                     const Services& services);

// Text that `fits` says is a passphrase. The caller wipes it.
using PassphraseRule = std::function<bool(ByteView)>;
Outcome<Bytes> open_passphrase(Bytes enveloped, const PassphraseRule& fits, const Request& request,
                               const Requester& requester, const Services& services);

// Whose failures are counted together: "secret:REF", "cert:" with the SHA-256 of the certificate.
std::string credential_of_envelopes(const Requester& requester);

}  // namespace cmpost
