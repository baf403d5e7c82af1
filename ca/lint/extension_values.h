// The extension values that decisions depend on, read strictly, and the ones that profiles write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ca/lint/refusal.h"
#include "config/profile_settings.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

struct BasicConstraints {
  bool cA = false;
  std::optional<std::int64_t> pathLenConstraint;
};

// What a set of extensions says. Values of other extensions have been checked to be one DER
// element each.
struct ExtensionValues {
  std::optional<std::uint32_t> keyUsage;  // bit i is named bit i
  std::optional<std::vector<Oid>> extKeyUsage;
  std::optional<BasicConstraints> basicConstraints;
  std::optional<std::vector<GeneralName>> subjectAltName;
  std::optional<Bytes> subjectKeyIdentifier;
};
// A refusal names the extension and what is wrong with it: twice the same one, a keyUsage that is
// no BIT STRING, an empty subjectAltName, a pathLenConstraint without cA, ...
Allowed<ExtensionValues> read_values(const Extensions& extensions);

// Why `name` may not stand in a subjectAltName: its kind is not allowed, or its value makes no
// sense there. Empty when it may.
std::string name_fault(const SanKinds& allowed, const GeneralName& name);

Extension key_usage_extension(std::uint32_t bits);
Extension certificate_policies_extension(const std::vector<Oid>& policies);
// One DistributionPoint: the same CRL at each of the places.
Extension crl_distribution_points_extension(const std::vector<std::string>& urls);
Extension authority_info_access_extension(const std::vector<std::string>& issuer_urls,
                                          const std::vector<std::string>& ocsp_urls);

}  // namespace cmpost
