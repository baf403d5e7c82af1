#include "processor/ra_role/issuers_of.h"

#include <algorithm>

#include "crypto/x509/trust.h"
#include "processor/ra_role/heard_answer.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostAuthorities = 16;

using Certificates = std::vector<Certificate>;

Certificates authorities_in(const std::vector<CMPCertificate>& extraCerts) {
  Certificates found;
  for (const auto& one : extraCerts) {
    auto certificate = Certificate::from_der(one.der);
    if (!certificate || !certificate->is_ca() || certificate->is_self_issued()) continue;
    if (std::ranges::find(found, *certificate) == found.end()) found.push_back(*certificate);
    if (found.size() == kMostAuthorities) break;
  }
  return found;
}

const Certificate* issuer_of(const Certificate& certificate, const Certificates& authorities) {
  const auto found = std::ranges::find_if(authorities, [&](const Certificate& one) {
    if (!certificate.issuer().same(one.subject())) return false;
    const auto issued = issued_by(certificate, one);
    return issued && *issued;
  });
  return found == authorities.end() ? nullptr : &*found;
}

void add_above(const Certificate& leaf, const Certificates& authorities, Certificates& chain) {
  const auto* issuer = issuer_of(leaf, authorities);
  while (issuer != nullptr && std::ranges::find(chain, *issuer) == chain.end()) {
    chain.push_back(*issuer);
    issuer = issuer_of(*issuer, authorities);
  }
}

}  // namespace

std::vector<CMPCertificate> issuers_of(const PKIBody& answer,
                                       const std::vector<CMPCertificate>& extraCerts) {
  const auto* content = cert_response(answer);
  if (content == nullptr) return {};
  const auto authorities = authorities_in(extraCerts);
  Certificates chain;
  for (const auto& response : content->response) {
    if (authorities.empty() || !response.certifiedKeyPair) continue;
    const auto* der = certificate_in(response);
    const auto leaf = der == nullptr ? hold("encrypted") : Certificate::from_der(der->der);
    if (leaf) {
      add_above(*leaf, authorities, chain);
    } else {
      chain = authorities;
      break;
    }
  }
  std::vector<CMPCertificate> issuers;
  for (const auto& one : chain) issuers.push_back({to_bytes(one.der())});
  return issuers;
}

}  // namespace cmpost
