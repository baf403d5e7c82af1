// Revocation passphrases: who has lost a key can still have its certificates revoked (RFC 9810
// 5.3.19.9 and Appendix B; ).
#pragma once

#include "processor/admission/request.h"
#include "processor/admission/services.h"
#include "processor/credentials/passphrase_table.h"
#include "processor/rights/requester.h"

namespace cmpost {

// Whether this channel takes them at all (`revocation_passphrase`, never when strict).
bool takes_passphrases(const ChannelSettings& channel);
// The one that a header brings, where the channel takes them.
const InfoTypeAndValue* header_passphrase(const PKIHeader& header, const ChannelPolicy& channel);

// Takes the value of id-it-revPassphrase: EnvelopedData for one of our keys (pvno 3). It is for the
// holder of the certificate that protects the message, or of the only subject that the secret may
// ask for; notAuthorized for anybody else. badRequest for what cannot be opened, or is too simple.
Outcome<RevocationPassphrase> take_passphrase(const InfoTypeAndValue& item, const Request& request,
                                              const Requester& requester, const Services& services);

}  // namespace cmpost
