#include "crypto/envelope/cms_structure.h"

#include <openssl/err.h>

#include <limits>

namespace cmpost {

Result<CmsPtr> read_cms(ByteView octets) {
  if (octets.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return hold("a CMS structure is too large");
  }
  const std::uint8_t* at = octets.data();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(octets.size())));
  if (!cms) return openssl_failure("this is no CMS structure");
  ERR_clear_error();
  if (at != octets.data() + octets.size()) return hold("something stands behind a CMS structure");
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) == NID_id_smime_ct_compressedData) {
    return hold("the content is compressed, which is not taken",
                "let the sender's mail program sign and encrypt without compression");
  }
  return cms;
}

Result<BioPtr> bio_of(ByteView octets) {
  BioPtr bio(
      BIO_new_mem_buf(octets.empty() ? reinterpret_cast<const std::uint8_t*>("") : octets.data(),
                      static_cast<int>(octets.size())));
  if (!bio) return openssl_failure("cannot read octets");
  return bio;
}

Result<Certificate> certificate_of(X509* x509) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509(x509, &der);
  if (size <= 0) return openssl_failure("a certificate in the signature is malformed");
  const auto certificate = Certificate::from_der({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return certificate;
}

Bytes contents_of(BIO* memory) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(memory, &octets);
  return size > 0 ? Bytes(octets, octets + size) : Bytes();
}

}  // namespace cmpost
