// EnvelopedData and SignedData (RFC 5652) as CMP carries them: one recipient, one signer.
#pragma once

#include <variant>

#include "base/random.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "crypto/signature.h"

namespace cmpost {

// How a recipient finds out which of its keys is meant.
using SubjectKeyIdentifier = Bytes;
struct IssuerAndSerialNumber {
  Name issuer;
  Bytes serialNumber;  // INTEGER content octets
};
using RecipientIdentifier = std::variant<IssuerAndSerialNumber, SubjectKeyIdentifier>;

// Key transport for RSA, key agreement with an ephemeral key for EC, X25519 and X448, and
// encapsulation (RFC 9629) for a KEM key: what the key can.
struct KeyRecipient {
  PublicKey key;
  RecipientIdentifier rid;
};
// PBKDF2 and AES key wrap (RFC 9483 4.1.6.3), with a salt of its own.
struct PasswordRecipient {
  Bytes password;
  std::int64_t iterations = 100'000;
};
using Recipient = std::variant<KeyRecipient, PasswordRecipient>;

// By subjectKeyIdentifier where the certificate has one (RFC 9483 4.1.6.1). An Error for a key that
// we cannot use.
Result<KeyRecipient> recipient_of(const Certificate& certificate);

// Whether something can be encrypted to this key at all.
bool can_receive(const PublicKey& key);

// DER of EnvelopedData (no ContentInfo around it) with a fresh AES-256-CBC key.
Result<Bytes> envelop(ByteView content, const Oid& content_type, const Recipient& recipient,
                      Random& random);

// DER of SignedData (no ContentInfo around it), version 3: `content` of `content_type` inside,
// signed attributes, `certificates` with the signer's first.
Result<Bytes> sign_content(ByteView content, const Oid& content_type, const Signer& signer,
                           const std::vector<Certificate>& certificates);

// What is in an EnvelopedData (`der` without ContentInfo) for the holder of `key`, and of which
// type it is. The size is bounded before anything is decrypted. An Error for another recipient, an
// algorithm that is not supported, or octets that do not decrypt.
struct OpenedContent {
  Oid content_type;
  Bytes content;
};
Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate);
Result<OpenedContent> open_envelope(ByteView der, ByteView password);
// With the key alone, whatever the recipient is called.
Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key);

}  // namespace cmpost
