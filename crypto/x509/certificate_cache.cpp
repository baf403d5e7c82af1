#include "crypto/x509/certificate_cache.h"

#include "base/mutex.h"
#include "crypto/keys/generation_map.h"

namespace cmpost {
namespace {

constexpr std::size_t kCapacity = 4'000;

}  // namespace

struct CertificateCache::State {
  Mutex mutex;
  GenerationMap<Certificate> certificates GUARDED_BY(mutex){kCapacity};
};

CertificateCache::CertificateCache() : state_(std::make_unique<State>()) {}
CertificateCache::~CertificateCache() = default;
CertificateCache::CertificateCache(CertificateCache&&) noexcept = default;

Result<Certificate> CertificateCache::from_der(ByteView der) const {
  const auto fingerprint = sha256(der);
  {
    const MutexLock lock(state_->mutex);
    if (const auto* known = state_->certificates.find(fingerprint)) return *known;
  }
  ASSIGN_OR_RETURN(auto certificate, Certificate::from_der(der));
  const MutexLock lock(state_->mutex);
  return *state_->certificates.put(fingerprint, std::move(certificate));
}

}  // namespace cmpost
