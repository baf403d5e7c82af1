// Prepares an ExtensionPolicy from the settings of a profile, and finds what cannot work.
#include <algorithm>

#include "ca/lint/extension_forms.h"
#include "ca/lint/words.h"
#include "ca/profile/extension_rules.h"
#include "ca/profile/key_rules.h"
#include "ca/profile/name_template.h"
#include "crypto/x509/certificate_builder.h"

namespace cmpost {
namespace {

using Kind = ExtensionRule::Kind;

constexpr std::uint32_t bit(KeyUsageBit name) {
  return std::uint32_t{1} << static_cast<unsigned>(name);
}

Result<std::vector<Oid>> read_oids(const std::vector<std::string>& dotted) {
  std::vector<Oid> ids;
  for (const std::string& text : dotted) {
    const auto id = Oid::from_dotted(text);
    if (!id) return hold("\"" + text + "\" is no OID");
    ids.push_back(*id);
  }
  return ids;
}

Result<std::uint32_t> read_bits(const std::vector<int>& numbers) {
  std::uint32_t bits = 0;
  for (const int number : numbers) {
    if (number < 0 || number > 8) return hold("keyUsage has no bit " + std::to_string(number));
    bits |= std::uint32_t{1} << number;
  }
  return bits;
}

}  // namespace

Result<ExtensionPolicy> ExtensionPolicy::create(const ProfileSettings& profile) {
  ExtensionPolicy policy;
  auto prepared = policy.prepare(profile);
  if (prepared) prepared = policy.check_settings();
  if (!prepared) return failure(std::move(prepared).error().within("profile " + profile.name));
  return policy;
}

Result<void> ExtensionPolicy::prepare(const ProfileSettings& profile) {
  profile_ = profile;
  ASSIGN_OR_RETURN(key_usage_, read_bits(profile.key_usage));
  ASSIGN_OR_RETURN(purposes_, read_oids(profile.extended_key_usage));
  ASSIGN_OR_RETURN(const std::vector<Oid> policies, read_oids(profile.policies));
  const auto add = [&](const Oid& id, std::optional<Extension> own) {
    entries_.push_back({id, plain_name(id), profile_.extensions.rule_for(id.dotted()), true, own});
  };
  const auto add_if = [&](bool wanted, const Oid& id, Extension own) {
    add(id, wanted ? std::optional(std::move(own)) : std::nullopt);
  };
  add_if(profile.ca, oid::id_ce_basicConstraints,
         basic_constraints_extension(true, profile.path_length));
  add(oid::id_ce_keyUsage, std::nullopt);  // depends on the key
  add_if(!purposes_.empty(), oid::id_ce_extKeyUsage, extended_key_usage_extension(purposes_));
  add(oid::id_ce_subjectAltName, std::nullopt);
  add_if(!policies.empty(), oid::id_ce_certificatePolicies,
         certificate_policies_extension(policies));
  add_if(!profile.crl_urls.empty(), oid::id_ce_cRLDistributionPoints,
         crl_distribution_points_extension(profile.crl_urls));
  add_if(!profile.issuer_urls.empty() || !profile.ocsp_urls.empty(), oid::id_pe_authorityInfoAccess,
         authority_info_access_extension(profile.issuer_urls, profile.ocsp_urls));
  return prepare_listed();
}

// The extensions that the settings name beyond those above, and the fixed values of all.
Result<void> ExtensionPolicy::prepare_listed() {
  for (const ExtensionField& field : profile_.extensions.fields) {
    const auto id = Oid::from_dotted(field.oid);
    if (!id) return hold("\"" + field.oid + "\" is no OID");
    const bool known = std::any_of(entries_.begin(), entries_.end(),
                                   [&](const Entry& entry) { return entry.id == *id; });
    if (!known) entries_.push_back({*id, field.name, field.rule, false, std::nullopt});
  }
  for (Entry& entry : entries_) {
    const bool has_value = entry.rule.kind == Kind::fixed || entry.rule.kind == Kind::default_;
    if (has_value) TRY(prepare_value(entry));
    if (!entry.own) continue;
    if (const auto wrong = wrong_form(*entry.own)) {
      return hold("others could not read the value of " + *wrong);
    }
  }
  return {};
}

Result<void> ExtensionPolicy::prepare_value(Entry& entry) {
  const auto value = from_hex(entry.rule.der_hex);
  const bool fixed = entry.rule.kind == Kind::fixed;
  if (!value) return hold("the value of " + entry.name + " is not hexadecimal");
  entry.own = Extension{entry.id, entry.rule.critical, *value};
  const auto values = read_values({*entry.own});
  if (!values) return hold("the value of " + entry.name + ": " + values.error().text);
  if (!fixed) return {};
  if (values->keyUsage) key_usage_ = *values->keyUsage;
  if (values->extKeyUsage) purposes_ = *values->extKeyUsage;
  return {};
}

Result<void> ExtensionPolicy::check_settings() const {
  for (const ExtensionField& field : profile_.extensions.fields) {
    const bool open = field.rule.kind == Kind::ignore || field.rule.kind == Kind::deny;
    const Oid id = *Oid::from_dotted(field.oid);
    if (id == oid::id_ce_subjectKeyIdentifier || id == oid::id_ce_authorityKeyIdentifier) {
      return hold(field.name + " is written by the CA and takes no rule");
    }
    if (field.rule.kind == Kind::derive && id != oid::id_ce_subjectAltName) {
      return hold(field.name + " cannot be derived; only subjectAltName can");
    }
    for (const auto& name : field.rule.names) {
      if (names_a_kind(name)) continue;
      return hold("the derived name '" + printable(name, 60) + "' does not say of which kind it is",
                  "begin it with DNS:, email:, URI:, IP:, RID: or dirName:");
    }
    if (id == oid::id_ce_basicConstraints && !open) {
      return hold("\"ca\" and \"path_length\" decide basicConstraints, not a rule");
    }
  }
  const bool signs_certificates = (key_usage_ & bit(KeyUsageBit::keyCertSign)) != 0;
  if (!profile_.ca && signs_certificates) return hold("keyCertSign takes ca = true");
  // RFC 5280 4.2.1.3: a CA certificate that may not sign certificates would be of no use.
  if (profile_.ca && key_usage_ != 0 && !signs_certificates) {
    return hold("ca = true takes keyCertSign in key_usage");
  }
  if (profile_.path_length && (!profile_.ca || *profile_.path_length < 0)) {
    return hold("path_length takes ca = true and is not negative");
  }
  return {};
}

}  // namespace cmpost
