#include "config/text/oid_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace cmpost {
namespace {

struct Name {
  std::string_view name;
  std::string_view oid;
};

constexpr std::array kAttributes = {
    Name{"CN", "2.5.4.3"},
    Name{"commonName", "2.5.4.3"},
    Name{"SN", "2.5.4.4"},
    Name{"surname", "2.5.4.4"},
    Name{"serialNumber", "2.5.4.5"},
    Name{"C", "2.5.4.6"},
    Name{"countryName", "2.5.4.6"},
    Name{"L", "2.5.4.7"},
    Name{"localityName", "2.5.4.7"},
    Name{"ST", "2.5.4.8"},
    Name{"stateOrProvinceName", "2.5.4.8"},
    Name{"street", "2.5.4.9"},
    Name{"O", "2.5.4.10"},
    Name{"organizationName", "2.5.4.10"},
    Name{"OU", "2.5.4.11"},
    Name{"organizationalUnitName", "2.5.4.11"},
    Name{"title", "2.5.4.12"},
    Name{"postalCode", "2.5.4.17"},
    Name{"GN", "2.5.4.42"},
    Name{"givenName", "2.5.4.42"},
    Name{"dnQualifier", "2.5.4.46"},
    Name{"pseudonym", "2.5.4.65"},
    Name{"organizationIdentifier", "2.5.4.97"},
    Name{"UID", "0.9.2342.19200300.100.1.1"},
    Name{"DC", "0.9.2342.19200300.100.1.25"},
    Name{"emailAddress", "1.2.840.113549.1.9.1"},
};

constexpr std::array kExtensions = {
    Name{"keyUsage", "2.5.29.15"},
    Name{"subjectAltName", "2.5.29.17"},
    Name{"basicConstraints", "2.5.29.19"},
    Name{"nameConstraints", "2.5.29.30"},
    Name{"certificatePolicies", "2.5.29.32"},
    Name{"extendedKeyUsage", "2.5.29.37"},
    Name{"tlsFeature", "1.3.6.1.5.5.7.1.24"},
    Name{"ocspNoCheck", "1.3.6.1.5.5.7.48.1.5"},
};

constexpr std::array kPurposes = {
    Name{"anyExtendedKeyUsage", "2.5.29.37.0"},   Name{"serverAuth", "1.3.6.1.5.5.7.3.1"},
    Name{"clientAuth", "1.3.6.1.5.5.7.3.2"},      Name{"codeSigning", "1.3.6.1.5.5.7.3.3"},
    Name{"emailProtection", "1.3.6.1.5.5.7.3.4"}, Name{"ipsecIKE", "1.3.6.1.5.5.7.3.17"},
    Name{"timeStamping", "1.3.6.1.5.5.7.3.8"},    Name{"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    Name{"cmcCA", "1.3.6.1.5.5.7.3.27"},          Name{"cmcRA", "1.3.6.1.5.5.7.3.28"},
    Name{"cmKGA", "1.3.6.1.5.5.7.3.32"},
};

std::optional<std::string> look_up(std::string_view name, std::span<const Name> names) {
  for (const auto& known : names) {
    if (known.name == name) return std::string(known.oid);
  }
  return is_dotted_oid(name) ? std::optional<std::string>(name) : std::nullopt;
}

std::vector<std::string> names_of(std::span<const Name> names) {
  std::vector<std::string> result;
  for (const auto& known : names) result.emplace_back(known.name);
  return result;
}

}  // namespace

bool is_dotted_oid(std::string_view text) {
  if (text.size() > 200) return false;
  std::vector<std::uint64_t> arcs;
  while (true) {
    const auto end = std::min(text.find('.'), text.size());
    std::uint32_t arc = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + end, arc);
    if (error != std::errc() || stop != text.data() + end) return false;
    if (end > 1 && text.front() == '0') return false;
    arcs.push_back(arc);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return arcs.size() >= 2 && arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] <= 39);
}

std::optional<std::string> attribute_oid(std::string_view name) {
  return look_up(name, kAttributes);
}
std::optional<std::string> extension_oid(std::string_view name) {
  return look_up(name, kExtensions);
}
std::optional<std::string> purpose_oid(std::string_view name) { return look_up(name, kPurposes); }

std::vector<std::string> attribute_names() { return names_of(kAttributes); }
std::vector<std::string> extension_names() { return names_of(kExtensions); }
std::vector<std::string> purpose_names() { return names_of(kPurposes); }

}  // namespace cmpost
