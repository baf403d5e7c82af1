#include <openssl/err.h>

#include "crypto/envelope/cms.h"
#include "crypto/envelope/cms_structure.h"
#include "crypto/keys/native_key.h"
#include "crypto/x509/path_validation.h"

namespace cmpost {
namespace {

using Asn1TimePtr = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;

tl::unexpected<Error> not_signed() { return openssl_failure("cannot sign"); }

// RFC 5652 11.3: UTCTime until 2049, as ASN1_TIME_set() makes it.
Result<void> add_signing_time(CMS_SignerInfo* signer, Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  const Asn1TimePtr value(ASN1_TIME_set(nullptr, static_cast<time_t>(seconds.count())));
  if (!value || CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, value->type, value.get(),
                                            -1) != 1) {
    return not_signed();
  }
  return {};
}

Result<void> add_certificates(CMS_ContentInfo* cms, const std::vector<Certificate>& certificates) {
  for (const auto& certificate : certificates) {
    const auto decoded = decode_certificate(certificate);
    if (!decoded || CMS_add1_cert(cms, decoded->x509.get()) != 1) return not_signed();
  }
  return {};
}

Result<Bytes> der_of(CMS_ContentInfo* cms) {
  std::uint8_t* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &der);
  if (size <= 0) return not_signed();
  Bytes octets(der, der + size);
  OPENSSL_free(der);
  return octets;
}

}  // namespace

Result<Bytes> cms_sign(ByteView content, CmsForm form, const Certificate& certificate,
                       const PrivateKey& key, const std::vector<Certificate>& helpers,
                       Time signing_time) {
  if (key.type() != KeyType::rsa) {
    return hold(
        "mails are signed with RSA keys only, so that an answer sent again is the same mail",
        "make a key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`");
  }
  const auto decoded = decode_certificate(certificate);
  if (!decoded) return hold("OpenSSL cannot read the certificate of the channel");
  const unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP |
                         (form == CmsForm::detached ? unsigned{CMS_DETACHED} : 0U);
  const CmsPtr cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, flags));
  if (!cms) return not_signed();
  CMS_SignerInfo* const signer =
      CMS_add1_signer(cms.get(), decoded->x509.get(), key.native().pkey.get(), EVP_sha256(), flags);
  if (signer == nullptr) return not_signed();
  TRY(add_signing_time(signer, signing_time));
  TRY(add_certificates(cms.get(), helpers));
  ASSIGN_OR_RETURN(const auto input, bio_of(content));
  if (CMS_final(cms.get(), input.get(), nullptr, flags) != 1) return not_signed();
  ERR_clear_error();
  return der_of(cms.get());
}

}  // namespace cmpost
