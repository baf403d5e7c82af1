// CMS (RFC 5652, RFC 5083), as far as S/MIME (RFC 8551) needs it.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// All of these read hostile input, BER or DER, one whole ContentInfo with nothing behind it; any
// thread. Nothing is ever decompressed, so what comes out is never larger than what went in: the
// caller's limit on that is the limit on memory. An Error (hold) says in words for the operator why
// a structure cannot be opened.

// Opens EnvelopedData or AuthEnvelopedData for one recipient. What OpenSSL finds out about a wrong
// key stays here: a mail that was encrypted for somebody else, one that was damaged and one whose
// content is no MIME must look the same to its sender.
Result<Bytes> cms_decrypt(ByteView cms, const Certificate& certificate, const PrivateKey& key);

// SignedData that is intact. Nothing is said about whether the signer may be trusted.
struct CmsSigned {
  Bytes content;
  Certificate signer;
  std::vector<Certificate> certificates;  // that came with it, the signer's among them
};
// `detached`: the content, when the structure has none of its own. Exactly one signer, SHA-2, and
// an id-data content; everything else is an Error.
Result<CmsSigned> cms_verify(ByteView cms, std::optional<ByteView> detached);
// The content that SignedData carries, whoever signed it and whether or not it is intact.
Result<Bytes> cms_unverified_content(ByteView cms);
// The certificates in SignedData ("PKCS#7", .p7b), whoever has signed it, if anybody; empty: none.
Result<std::vector<Certificate>> cms_certificates(ByteView cms);

enum class CmsForm { opaque, detached };
// SignedData with SHA-256 over `content` as it is. The same arguments give the same octets: the key
// must be RSA, whose PKCS#1 v1.5 signature (RFC 8017 8.2) has no randomness, else an Error; the
// signingTime is the one given. `helpers` go with the signer's certificate.
Result<Bytes> cms_sign(ByteView content, CmsForm form, const Certificate& certificate,
                       const PrivateKey& key, const std::vector<Certificate>& helpers,
                       Time signing_time);

}  // namespace cmpost
