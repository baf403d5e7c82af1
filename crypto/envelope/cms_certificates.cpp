#include <openssl/err.h>

#include "crypto/envelope/cms.h"
#include "crypto/envelope/cms_structure.h"

namespace cmpost {

Result<std::vector<Certificate>> cms_certificates(ByteView octets) {
  ASSIGN_OR_RETURN(const auto cms, read_cms(octets));
  const X509StackPtr carried(CMS_get1_certs(cms.get()));
  ERR_clear_error();
  const int count = carried ? sk_X509_num(carried.get()) : 0;
  if (count > kMaxCmsCertificates) {
    return hold("the PKCS#7 has more than " + std::to_string(kMaxCmsCertificates) +
                " certificates");
  }
  std::vector<Certificate> certificates;
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(auto one, certificate_of(sk_X509_value(carried.get(), i)));
    certificates.push_back(std::move(one));
  }
  return certificates;
}

}  // namespace cmpost
