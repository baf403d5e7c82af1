// Whose a certificate is, by value: the same for all certificates of one person or device, and for
// what it has left here (private keys, a revocation passphrase).
#pragma once

#include "ca/certificate_record.h"
#include "processor/requester.h"

namespace cmpost {

// Of a certificate that a registration authority, or an operator with a secret for one subject, has
// asked for: its subject. Of one under a secret for many subjects: the secret and the subject. Of
// one that a vendor's certificate has asked for: that certificate and the subject. A certificate
// that was asked for with one of ours is the same holder's. Whoever has no name is known by the
// first of its certificates.
HolderIdentity holder_named(const Name& subject);
HolderIdentity holder_of(const CertificateRecord& record, const Name& subject);
// Who will have the certificate of this subject and serial number that is asked for.
HolderIdentity holder_to_be(const Requester& requester, const Name& subject, ByteView serial);
// What the ledger notes of it: nothing where holder_of() says the same without.
Bytes holder_to_note(const Requester& requester, const Certificate& certificate);

// Whether it may revoke the certificate: it is its holder, or has its name.
bool may_revoke(const HolderIdentity& holder, const CertificateRecord& record, const Name& subject);

}  // namespace cmpost
