// EnvelopedData and SignedData (RFC 5652) as CMP carries them: one recipient, one signer.
#pragma once

#include <span>
#include <variant>

#include "base/random.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/certificate.h"

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

// EnvelopedData with AES-256-CBC, or AuthEnvelopedData (RFC 5083) with AES-256-GCM, which nobody
// can change unnoticed.
enum class Envelopment { enveloped, authenticated };
// DER of it (no ContentInfo around it), with a fresh key.
Result<Bytes> envelop(ByteView content, const Oid& content_type, const Recipient& recipient,
                      Random& random, Envelopment how = Envelopment::enveloped);
// AuthEnvelopedData as above that each of the recipients can open, of whom there is at least one.
Result<Bytes> envelop_for_all(ByteView content, const Oid& content_type,
                              std::span<const Recipient> recipients, Random& random);

// DER of SignedData (no ContentInfo around it), version 3: `content` of `content_type` inside,
// signed attributes, `certificates` with the signer's first.
Result<Bytes> sign_content(ByteView content, const Oid& content_type, const Signer& signer,
                           const std::vector<Certificate>& certificates);

// DER of a ContentInfo with SignedData as above over an id-data content that lies elsewhere, of any
// key that signs. The same arguments need not give the same octets.
Result<Bytes> sign_detached(ByteView content, const Signer& signer,
                            const std::vector<Certificate>& certificates);
// The same, read: DER, one signer with signed attributes, a digest without known collisions. An
// Error (hold): it is something else, or does not fit. Nothing is said about whether the signer may
// be trusted. The caller bounds the size.
struct DetachedSignature {
  Certificate signer;
  std::vector<Certificate> certificates;  // that came with it, the signer's among them
};
Result<DetachedSignature> verify_detached(ByteView signature, ByteView content);

// What comes out of an EnvelopedData or AuthEnvelopedData (`der` without ContentInfo) with the key
// of a recipient, whatever it is. Without `right` the key could not be recovered, or the padding or
// the tag is wrong, and the content is nobody's; with it, an EnvelopedData may still have been
// changed on its way. Both take the same time. Who sent the envelope must not learn which it is,
// nor what is wrong with the content: else it is read octet by octet.
struct DecryptedContent {
  Oid content_type;
  Bytes content;
  bool right = false;
  bool authenticated = false;  // AuthEnvelopedData
  Sha256 content_key{};        // a digest: the same for what was encrypted with the same key
};
// An Error is about what can be seen without the key: a malformed structure, another recipient, an
// algorithm that is not supported. The size is bounded before anything is decrypted.
Result<DecryptedContent> decrypt_envelope(ByteView der, const PrivateKey& key,
                                          const Certificate& certificate);
// By its structure alone; false for what is malformed, too.
bool is_authenticated_envelope(ByteView der);

// For content that was asked for and whose sender is told nothing: it, and of which type it is. An
// Error as above, and where it is not `right`.
struct OpenedContent {
  Oid content_type;
  Bytes content;
};
Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate);
// Of up to `limit` octets, where the others take 1 MiB.
Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key,
                                    const Certificate& certificate, std::size_t limit);
Result<OpenedContent> open_envelope(ByteView der, ByteView password);
// With the key alone, whatever the recipient is called.
Result<OpenedContent> open_envelope(ByteView der, const PrivateKey& key);

}  // namespace cmpost
