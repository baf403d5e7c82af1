// Path validation of a signer's certificate against the anchors of one channel.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

enum class PathVerdict { trusted, untrusted, expired };
struct PathCheck {
  PathVerdict verdict = PathVerdict::untrusted;
  std::string reason;              // why not, in words
  std::vector<Certificate> chain;  // signer first, anchor last, when trusted
};

// A set of trust anchors. Any thread. Remembers what it has validated (by fingerprint, bounded),
// so that a signer seen before costs a look-up; validity dates are looked at again each time.
class TrustStore {
 public:
  explicit TrustStore(std::vector<Certificate> anchors);
  ~TrustStore();
  TrustStore(TrustStore&&) noexcept;

  // `untrusted` are helpers only (extraCerts): never an anchor, whatever they claim.
  // An anchor itself is trusted. An Error only when OpenSSL fails for want of memory or the like.
  Result<PathCheck> check(const Certificate& signer, const std::vector<Certificate>& untrusted,
                          Time at) const;
  const std::vector<Certificate>& anchors() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether `certificate` is signed by `issuer`'s key (names compared, no dates).
Result<bool> issued_by(const Certificate& certificate, const Certificate& issuer);

}  // namespace cmpost
