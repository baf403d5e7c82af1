#include "carrier/bundles/bundle_signature.h"

#include <algorithm>

namespace cmpost {
namespace {

std::string called(const Certificate& certificate) {
  return printable(certificate.subject_text(), 200);
}

}  // namespace

Result<Bytes> sign_bundle(std::string_view manifest, const BundleSigner& signer) {
  return sign_detached(view_of(manifest), signer.signer, signer.chain);
}

BundlePeer::BundlePeer(std::string name, std::vector<Certificate> certificates,
                       std::vector<Certificate> anchors)
    : name_(std::move(name)),
      certificates_(std::move(certificates)),
      anchors_(std::make_shared<const TrustStore>(std::move(anchors))) {}

Result<Certificate> BundlePeer::verify(ByteView manifest, ByteView signature, Time at) const {
  if (signature.size() > kLargestBundleSignature) return hold("its signature is too large");
  auto found = verify_detached(signature, manifest);
  if (!found) {
    return hold("it is not signed by " + name_ + ": " + found.error().what,
                "ask " + name_ + " for the bundle again: it was changed on its way, or forged");
  }
  TRY(check(found->signer, found->certificates, at));
  return std::move(found->signer);
}

Result<void> BundlePeer::check(const Certificate& signer, const std::vector<Certificate>& helpers,
                               Time at) const {
  if (std::ranges::find(certificates_, signer) != certificates_.end()) {
    if (at >= signer.not_before() && at <= signer.not_after()) return {};
    return hold("it is signed with a certificate that is not valid now: " + called(signer),
                "ask " + name_ + " for its new certificate, or look at the clock");
  }
  if (!anchors_->anchors().empty()) {
    ASSIGN_OR_RETURN(const auto path, anchors_->check(signer, helpers, at));
    const bool office = signer.has_extended_key_usage(oid::id_kp_cmcCA) ||
                        signer.has_extended_key_usage(oid::id_kp_cmcRA);
    if (path.verdict == PathVerdict::trusted && office) return {};
    if (path.verdict == PathVerdict::trusted) {
      return hold("it is signed by " + called(signer) + ", which is neither a CA nor an RA",
                  "its certificate has neither id-kp-cmcCA nor id-kp-cmcRA; `certificate` of the "
                  "peer takes any");
    }
    if (path.verdict == PathVerdict::expired) {
      return hold("it is signed with a certificate that is not valid now: " + called(signer));
    }
  }
  return hold("it is signed by " + called(signer) + ", who is not " + name_,
              "[bundle] peer names the certificates of " + name_);
}

}  // namespace cmpost
