// Whose a certificate will be that is asked for.
#pragma once

#include "processor/credentials/holder_identity.h"
#include "processor/rights/requester.h"

namespace cmpost {

// Who will have the certificate of this subject and serial number that is asked for.
HolderIdentity holder_to_be(const Requester& requester, const Name& subject, ByteView serial);
// What the ledger notes of it: nothing where holder_of() says the same without.
Bytes holder_to_note(const Requester& requester, const Certificate& certificate);

}  // namespace cmpost
