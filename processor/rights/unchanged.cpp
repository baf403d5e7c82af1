#include "processor/rights/unchanged.h"

#include <algorithm>
#include <array>

#include "ca/lint/extension_values.h"
#include "ca/lint/words.h"
#include "processor/rights/rights.h"

namespace cmpost {
namespace {

using Kind = ExtensionRule::Kind;

// subjectKeyIdentifier, authorityKeyIdentifier, privateKeyUsagePeriod, tlsFeature,
// smimeCapabilities.
constexpr std::array<std::string_view, 5> kOfHolder = {
    "2.5.29.14", "2.5.29.35", "2.5.29.16", "1.3.6.1.5.5.7.1.24", "1.2.840.113549.1.9.15"};
// extensionRequest, challengePassword; by Windows: the version of the system, the client, the
// provider of the key.
constexpr std::array<std::string_view, 5> kAttributes = {
    "1.2.840.113549.1.9.14", "1.2.840.113549.1.9.7", "1.3.6.1.4.1.311.13.2.3",
    "1.3.6.1.4.1.311.21.20", "1.3.6.1.4.1.311.13.2.2"};

constexpr std::uint32_t bit(KeyUsageBit name) {
  return std::uint32_t{1} << static_cast<unsigned>(name);
}
// What speaks for others than the holder.
constexpr std::uint32_t kOfAuthorities = bit(KeyUsageBit::keyCertSign) | bit(KeyUsageBit::cRLSign);

bool is_of_holder(const Oid& id) {
  return std::ranges::find(kOfHolder, id.dotted()) != kOfHolder.end();
}
bool is_compared_apart(const Oid& id) {
  return id == oid::id_ce_subjectAltName || id == oid::id_ce_basicConstraints ||
         id == oid::id_ce_keyUsage || id == oid::id_ce_extKeyUsage;
}

// nullopt: there are none, so that it is for everything, or they cannot be read.
std::optional<std::vector<Oid>> purposes_in(const Extensions& extensions) {
  const auto* one = find(extensions, oid::id_ce_extKeyUsage);
  if (one == nullptr) return std::nullopt;
  auto values = read_values({*one});
  return values ? std::move(values->extKeyUsage) : std::nullopt;
}

void compare_purposes(const Profile& profile, const Extensions& asked, const Extensions& got,
                      std::vector<std::string>& changes) {
  const auto wanted = purposes_in(asked), there = purposes_in(got);
  if (!wanted) return;
  if (!there) {
    changes.emplace_back("extendedKeyUsage was asked for and is not there");
    return;
  }
  const auto& allowed = profile.settings().extended_key_usage;
  for (const auto& one : *there) {
    const bool known = std::ranges::find(*wanted, one) != wanted->end() ||
                       std::ranges::find(allowed, one.dotted()) != allowed.end();
    if (!known) changes.push_back("extendedKeyUsage has " + plain_name(one));
  }
  for (const auto& one : *wanted) {
    if (std::ranges::find(*there, one) == there->end()) {
      changes.push_back("extendedKeyUsage lacks " + plain_name(one));
    }
  }
}

auto deny(const Profile& profile, const std::string& what) {
  return reject(PKIFailureInfo::notAuthorized,
                "the request goes on to the CA as it is, and the profile " + profile.name() +
                    " does not grant " + what);
}

bool may_use(const ProfileSettings& settings, std::uint32_t bits) {
  const auto& allowed = settings.key_usage;
  for (int number = 0; number < 9; ++number) {
    const bool asked = ((bits & kOfAuthorities) >> number & 1U) != 0;
    if (asked && std::ranges::find(allowed, number) == allowed.end()) return false;
  }
  return true;
}

Checked<void> check_purposes(const Profile& profile, const std::vector<Oid>& purposes) {
  const auto& allowed = profile.settings().extended_key_usage;
  for (const auto& one : purposes) {
    if (std::ranges::find(allowed, one.dotted()) == allowed.end()) {
      return deny(profile, "extendedKeyUsage " + plain_name(one));
    }
  }
  return {};
}

Checked<void> check_names(const Profile& profile, const std::vector<GeneralName>& names) {
  const auto& kinds = profile.settings().san;
  if (names.size() > static_cast<std::size_t>(kinds.most)) {
    return deny(profile, "so many names in subjectAltName");
  }
  for (const auto& name : names) {
    if (const auto fault = name_fault(kinds, name); !fault.empty()) {
      return deny(profile, name.text() + " in subjectAltName: " + fault);
    }
  }
  return {};
}

// Its value as it stands.
bool grants(const Profile& profile, const Extension& asked) {
  const auto rule = profile.settings().extensions.rule_for(asked.extnID.dotted());
  switch (rule.kind) {
    case Kind::copy:
    case Kind::require:
    case Kind::default_:
      return true;
    case Kind::fixed:
      return to_hex(asked.extnValue) == rule.der_hex;
    case Kind::ignore:
    case Kind::deny:
    case Kind::derive:
      break;
  }
  return false;
}

}  // namespace

Checked<void> check_unchanged(const Profile& profile, const Extensions& asked) {
  const auto values = read_values(asked);
  if (!values) return reject(PKIFailureInfo::badCertTemplate, values.error().text);
  for (const auto& one : asked) {
    const auto& id = one.extnID;
    if (is_of_holder(id)) continue;
    if (id == oid::id_ce_keyUsage) {
      if (!may_use(profile.settings(), *values->keyUsage)) {
        return deny(profile, "keyUsage " + key_usage_words(*values->keyUsage));
      }
    } else if (id == oid::id_ce_extKeyUsage) {
      if (!grants(profile, one)) TRY(check_purposes(profile, *values->extKeyUsage));
    } else if (id == oid::id_ce_subjectAltName) {
      TRY(check_names(profile, *values->subjectAltName));
    } else if (id == oid::id_ce_basicConstraints) {
      const auto& constraints = *values->basicConstraints;
      if (constraints.cA && !profile.settings().ca) return deny(profile, "basicConstraints cA");
    } else if (!grants(profile, one)) {
      return deny(profile, "the extension " + id.name());
    }
  }
  return {};
}

std::vector<std::string> changed_extensions(const Profile& profile, const Extensions& asked,
                                            const Extensions& got) {
  std::vector<std::string> changes;
  for (const auto& one : got) {
    if (names_somebody(one.extnID) && find(asked, one.extnID) == nullptr) {
      changes.push_back("the extension " + one.extnID.name() + " was not asked for");
    }
  }
  for (const auto& one : asked) {
    const auto& id = one.extnID;
    if (is_of_holder(id) || is_compared_apart(id)) continue;
    const auto* there = find(got, id);
    if (there == nullptr) {
      changes.push_back("the extension " + id.name() + " was asked for and is not there");
    } else if (there->extnValue != one.extnValue) {
      changes.push_back("the extension " + id.name() + " is not as it was asked for");
    }
  }
  compare_purposes(profile, asked, got, changes);
  return changes;
}

Checked<void> check_attributes(const CertificationRequest& asked) {
  for (const auto& one : asked.attributes) {
    if (std::ranges::find(kAttributes, one.dotted()) != kAttributes.end()) continue;
    return reject(
        PKIFailureInfo::notAuthorized,
        "the request goes on to the CA as it is, and nobody here knows what its attribute " +
            one.name() + " asks for");
  }
  return {};
}

}  // namespace cmpost
