// Certificates that were met before, so that neither they nor their keys are decoded twice.
#pragma once

#include <memory>

#include "crypto/x509/certificate.h"

namespace cmpost {

// Holds some thousand certificates, those asked for last. Any thread.
class CertificateCache {
 public:
  CertificateCache();
  ~CertificateCache();
  CertificateCache(CertificateCache&&) noexcept;

  // As Certificate::from_der. For the same octets again it is the same object, whose public_key()
  // is decoded already. That it is here says nothing about whether anybody trusts it.
  Result<Certificate> from_der(ByteView der) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cmpost
