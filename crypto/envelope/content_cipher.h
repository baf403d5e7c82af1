// The encrypted content of EnvelopedData and AuthEnvelopedData; for this folder only.
#pragma once

#include "crypto/envelope/key_wrap.h"

namespace cmpost {

// AES-CBC (RFC 3565) in EnvelopedData, AES-GCM (RFC 5084) in AuthEnvelopedData.
struct ContentCipher {
  std::size_t key_size = 0;
  Bytes iv;
  std::optional<std::size_t> tag_size;  // GCM
};
// RFC 5084 1.4: AES-GCM is for AuthEnvelopedData alone, and nothing else is authenticated.
Result<ContentCipher> content_cipher(const AlgorithmIdentifier& algorithm, bool authenticated);

// With `right` false it is not what somebody has encrypted, of whatever size and content. Takes the
// same time for both, which is all that a stranger may learn.
struct Plaintext {
  Bytes content;
  bool right = false;
};
// `tag` and `associated` are those of GCM. An Error is about sizes, which everybody sees, or ours.
Result<Plaintext> decrypt_content(const ContentCipher& cipher, ByteView key, ByteView encrypted,
                                  ByteView tag, ByteView associated);

// GCM, with a nonce of 12 octets and a tag of 16.
struct Authenticated {
  AlgorithmIdentifier algorithm;
  Bytes encrypted, tag;
};
Result<Authenticated> encrypt_authenticated(ByteView key, ByteView nonce, ByteView content,
                                            ByteView associated);

}  // namespace cmpost
