// Whose a certificate is, by value: the same for all certificates of one person or device, and for
// what it has left here (private keys, a revocation passphrase).
#pragma once

#include "asn1/name.h"
#include "ca/ledger/certificate_record.h"

namespace cmpost {

// Of a certificate that a registration authority, or an operator with a secret for one subject, has
// asked for: its subject. Of one under a secret for many subjects: the secret and the subject. Of
// one that a vendor's certificate has asked for: that certificate and the subject. A certificate
// that was asked for with one of ours is the same holder's. Whoever has no name is known by the
// first of its certificates.
HolderIdentity holder_named(const Name& subject);
HolderIdentity holder_of(const CertificateRecord& record, const Name& subject);

// Whether it may revoke the certificate: it is its holder, or has its name.
bool may_revoke(const HolderIdentity& holder, const CertificateRecord& record, const Name& subject);

// What they are made of, in the ledger: one octet of these, then a SHA-256 or a serial number.
enum class HolderKind : std::uint8_t { name = 1, secret = 2, foreign_certificate = 3, serial = 4 };
HolderIdentity holder_of_kind(HolderKind kind, ByteView value);
// Where nothing else is noted.
HolderIdentity holder_by_default(const Name& subject, ByteView serial);

}  // namespace cmpost
