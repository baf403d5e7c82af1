#include "crypto/x509/path_validation.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace cmpost {
namespace {

constexpr int kMaxDepth = 10;
// At least 80 bits of security below the anchor: OpenSSL's level 1 refuses MD5 and SHA-1.
constexpr int kAuthLevel = 1;

X509StackPtr stack_of(const std::vector<DecodedCertificate>& certificates) {
  X509StackPtr stack(sk_X509_new_null());
  for (const auto& one : certificates) {
    if (!stack || X509_add_cert(stack.get(), one.x509.get(), X509_ADD_FLAG_UP_REF) != 1) {
      return nullptr;
    }
  }
  return stack;
}

PathCheck refused(PathVerdict verdict, std::string reason) {
  return {verdict, std::move(reason), {}};
}

Result<PathCheck> refusal(X509_STORE_CTX* context) {
  const int error = X509_STORE_CTX_get_error(context);
  const std::string reason = X509_verify_cert_error_string(error);
  ERR_clear_error();
  switch (error) {
    case X509_V_ERR_OUT_OF_MEM:
      return retry("cannot validate a certificate path: " + reason);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return refused(PathVerdict::expired, reason);
    default:
      return refused(PathVerdict::untrusted, reason);
  }
}

// OpenSSL lets pass an intermediate without basicConstraints when its keyUsage has keyCertSign.
// RFC 5280 6.1.4 (k): "If certificate i is a version 3 certificate, verify that the
// basicConstraints extension is present and that cA is set to TRUE."
bool all_may_issue(const std::vector<Certificate>& chain) {
  return std::all_of(chain.begin() + 1, chain.end() - 1, [](const Certificate& c) {
    return c.is_ca() && c.allows(KeyUsageBit::keyCertSign);
  });
}

}  // namespace

std::optional<DecodedCertificate> decode_certificate(const Certificate& certificate) {
  const std::uint8_t* at = certificate.der().data();
  std::shared_ptr<X509> x509(d2i_X509(nullptr, &at, static_cast<long>(certificate.der().size())),
                             FreeWith<X509_free>());
  ERR_clear_error();
  if (!x509) return std::nullopt;
  // Fills the cache of extensions now, so that later readers in other threads only read.
  X509_check_purpose(x509.get(), -1, 0);
  ERR_clear_error();
  return DecodedCertificate{certificate, std::move(x509)};
}

PathValidator::PathValidator(const std::vector<Certificate>& anchors) : store_(X509_STORE_new()) {
  CHECK(store_ != nullptr);
  for (const auto& anchor : anchors) {
    auto decoded = decode_certificate(anchor);
    if (!decoded) continue;  // nobody's path can end in what OpenSSL cannot read
    CHECK(X509_STORE_add_cert(store_.get(), decoded->x509.get()) == 1);
    anchors_.push_back(*std::move(decoded));
  }
}

Result<PathCheck> PathValidator::validate(const DecodedCertificate& signer,
                                          const std::vector<DecodedCertificate>& helpers,
                                          Time at) const {
  const X509StackPtr untrusted = stack_of(helpers);
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!untrusted || !context ||
      X509_STORE_CTX_init(context.get(), store_.get(), signer.x509.get(), untrusted.get()) != 1) {
    return openssl_failure("cannot validate a certificate path");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
  X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(parameters, kAuthLevel);
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::system_clock::to_time_t(
                      std::chrono::time_point_cast<std::chrono::system_clock::duration>(at)));
  if (X509_verify_cert(context.get()) != 1) return refusal(context.get());
  ERR_clear_error();

  auto candidates = helpers;
  candidates.push_back(signer);
  return trusted(X509_STORE_CTX_get0_chain(context.get()), candidates);
}

PathCheck PathValidator::trusted(const STACK_OF(X509) * chain,
                                 const std::vector<DecodedCertificate>& candidates) const {
  PathCheck check{PathVerdict::trusted, {}, {}};
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* link = sk_X509_value(chain, i);
    for (const auto* known : {&candidates, &anchors_}) {
      const auto found = std::find_if(known->begin(), known->end(), [&](const auto& candidate) {
        return X509_cmp(candidate.x509.get(), link) == 0;
      });
      if (found == known->end()) continue;
      check.chain.push_back(found->certificate);
      break;
    }
  }
  CHECK(check.chain.size() == static_cast<std::size_t>(sk_X509_num(chain)));
  if (check.chain.size() > 2 && !all_may_issue(check.chain)) {
    return refused(PathVerdict::untrusted, "an intermediate certificate is not one of a CA");
  }
  return check;
}

}  // namespace cmpost
