// What leaves encrypted to the requester: certificates that prove possession, keys that we made.
#pragma once

#include "crypto/envelope/envelope.h"
#include "processor/ca_role/certificate_request.h"

namespace cmpost {

// the certificate for encrCert, readable by the holder of its key alone. As EnvelopedData,
// or for pvno 2 as EncryptedValue; verify_pop() has found that this can be done.
Outcome<EncryptedKey> encrypt_certificate(const Certificate& certificate, const Request& request,
                                          CaServices& services);

// a private key that was made here, signed by the key generator and encrypted to
// the certificate or under the secret that protects the request. notAuthorized when that
// certificate is not for it, or the secret is too short.
Outcome<EncryptedKey> encrypt_private_key(const PrivateKey& key, const Requester& requester,
                                          CaServices& services);

// The same for somebody else than the requester's certificate or secret stands for.
Outcome<EncryptedKey> encrypt_private_key(const PrivateKey& key, const Recipient& recipient,
                                          CaServices& services);

// whether a key may be made for this requester, before it is.
Checked<void> check_may_generate(const Request& request, const Requester& requester,
                                 const CaServices& services);
// The key that is made for a template without one: of the kind that it wishes for, else of the
// profile's. badCertTemplate for a wish that we do not have or a profile that makes none.
Outcome<PrivateKey> generate_key(const CertRequest& wanted, const Profile& profile);

}  // namespace cmpost
