// Who has packed a bundle. Nothing else follows from it: what may be had is decided by the
// protection of each message in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/envelope/envelope.h"
#include "crypto/x509/trust.h"

namespace cmpost {

// Whose signature bundles leave with.
struct BundleSigner {
  Signer signer;
  std::vector<Certificate> chain;  // the signer's own first
};
// The octets of manifest.p7s. Another call gives others, so whoever sends it twice keeps it.
Result<Bytes> sign_bundle(std::string_view manifest, const BundleSigner& signer);

// Somebody whose bundles are taken. Any thread.
class BundlePeer {
 public:
  // `certificates`: with these it signs, whatever they are for. `anchors`: below these it has a
  // certificate for a CA or an RA (id-kp-cmcCA, id-kp-cmcRA), which devices have not.
  BundlePeer(std::string name, std::vector<Certificate> certificates,
             std::vector<Certificate> anchors);

  const std::string& name() const { return name_; }
  // An Error (hold): it has not signed this manifest, or not with a certificate that is good at
  // `at`. Gives the signer's certificate.
  Result<Certificate> verify(ByteView manifest, ByteView signature, Time at) const;

 private:
  Result<void> check(const Certificate& signer, const std::vector<Certificate>& helpers,
                     Time at) const;

  std::string name_;
  std::vector<Certificate> certificates_;
  std::shared_ptr<const TrustStore> anchors_;
};

inline constexpr std::size_t kLargestBundleSignature = std::size_t{64} << 10U;  // octets

}  // namespace cmpost
