// A ContentInfo in OpenSSL's hands; for this folder only.
#pragma once

#include <openssl/cms.h>

#include "crypto/keys/openssl.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

using CmsPtr = std::unique_ptr<CMS_ContentInfo, FreeWith<CMS_ContentInfo_free>>;

// Of a flood of certificates or recipients we look at no more.
constexpr int kMaxCmsCertificates = 32, kMaxCmsRecipients = 100;

Result<CmsPtr> read_cms(ByteView octets);
Result<BioPtr> bio_of(ByteView octets);  // borrows them
Bytes contents_of(BIO* memory);
Result<Certificate> certificate_of(X509* x509);

}  // namespace cmpost
