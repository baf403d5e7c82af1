// Certificates, CRLs, PKCS#10 requests and keys of hostile octets.
#include "crypto/x509/certificate.h"
#include "crypto/x509/certificate_builder.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cmpost::ByteView input(data, size);
  if (const auto certificate = cmpost::Certificate::from_der(input)) {
    (void)certificate->public_key();
    (void)certificate->subject().text();
    (void)certificate->is_ca();
  }
  (void)cmpost::Certificate::from_pem(cmpost::text_of(input));
  (void)cmpost::CertificateList::from_der(input);
  (void)cmpost::certification_request_from_pem_or_der(input);
  (void)cmpost::PublicKey::from_spki(input);
  return 0;
}
