#include "processor/ca_role/offer.h"

#include <algorithm>

namespace cmpost {
namespace {

using Kind = KeyRule::Kind;

// Lengths of RSA keys that people use; a profile's own limits are added.
constexpr int kUsualRsaLengths[] = {2048, 3072, 4096, 8192};

constexpr unsigned bit(KeyUsageBit named) { return 1U << static_cast<unsigned>(named); }
constexpr unsigned kForSigning = bit(KeyUsageBit::digitalSignature) |
                                 bit(KeyUsageBit::nonRepudiation) | bit(KeyUsageBit::keyCertSign) |
                                 bit(KeyUsageBit::cRLSign);
constexpr unsigned kForTransport =
    bit(KeyUsageBit::keyEncipherment) | bit(KeyUsageBit::dataEncipherment);
constexpr unsigned kForAgreement = bit(KeyUsageBit::keyAgreement);

// A profile without a keyUsage leaves the use open.
unsigned usage_of(const Profile& profile) {
  const auto& bits = profile.settings().key_usage;
  if (bits.empty()) return ~0U;
  unsigned set = 0;
  for (const int one : bits) set |= 1U << static_cast<unsigned>(one);
  return set;
}

AlgorithmIdentifier curve(const Oid& named) {
  der::Writer writer;
  writer.object_identifier(named);
  return {oid::id_ecPublicKey, std::move(writer).take()};
}

AlgorithmIdentifier algorithm_of(const KeyRule& rule) {
  switch (rule.kind) {
    case Kind::rsa:
      return {oid::rsaEncryption, Bytes{der::kNull, 0}};
    case Kind::ed25519:
      return {oid::id_Ed25519, std::nullopt};
    case Kind::ed448:
      return {oid::id_Ed448, std::nullopt};
    case Kind::x25519:
      return {oid::id_X25519, std::nullopt};
    case Kind::x448:
      return {oid::id_X448, std::nullopt};
    case Kind::ec:
      break;
  }
  if (rule.curve == "P-384") return curve(oid::secp384r1);
  if (rule.curve == "P-521") return curve(oid::secp521r1);
  return curve(oid::secp256r1);
}

bool only_agrees(const KeyRule& rule) {
  return rule.kind == Kind::x25519 || rule.kind == Kind::x448;
}

bool signs(const KeyRule& rule, unsigned usage) {
  return !only_agrees(rule) && (usage & kForSigning) != 0;
}

bool encrypts(const KeyRule& rule, unsigned usage) {
  if (rule.kind == Kind::rsa) return (usage & kForTransport) != 0;
  return (rule.kind == Kind::ec || only_agrees(rule)) && (usage & kForAgreement) != 0;
}

template <typename Useful>
std::vector<AlgorithmIdentifier> key_types(const std::vector<Profile>& profiles, Useful&& useful) {
  std::vector<AlgorithmIdentifier> types;
  for (const auto& profile : profiles) {
    for (const auto& rule : profile.settings().keys) {
      auto type = algorithm_of(rule);
      const bool known = std::ranges::find(types, type) != types.end();
      if (!known && useful(rule, usage_of(profile))) types.push_back(std::move(type));
    }
  }
  return types;
}

std::vector<int> rsa_lengths(const KeyRule& rule) {
  std::vector<int> lengths = {rule.min_bits};
  for (const int length : kUsualRsaLengths) {
    if (rule.min_bits < length && length <= rule.max_bits) lengths.push_back(length);
  }
  return lengths;
}

Controls key_spec(const ProfileSettings& profile) {
  Controls controls;
  const auto add = [&](Attribute control) {
    if (std::ranges::find(controls, control) == controls.end()) {
      controls.push_back(std::move(control));
    }
  };
  for (const auto& rule : profile.keys) {
    if (rule.kind != Kind::rsa) {
      add(algorithm_control(algorithm_of(rule)));
      continue;
    }
    for (const int length : rsa_lengths(rule)) add(rsa_length_control(length));
  }
  return controls;
}

// "In case a Name component [...] is given but has an empty string value, the EE SHOULD fill in a
// value." (RFC 9483 4.3.3)
std::optional<std::string> template_value(const FieldRule& rule) {
  switch (rule.kind) {
    case FieldRule::Kind::fixed:
    case FieldRule::Kind::set:
    case FieldRule::Kind::default_:
      return rule.value;
    case FieldRule::Kind::require:
    case FieldRule::Kind::copy:
      return std::string();
    case FieldRule::Kind::derive:  // whatever is asked for, so nothing need be
    case FieldRule::Kind::drop:
    case FieldRule::Kind::deny:
      break;
  }
  return std::nullopt;
}

// Without fields it is the NULL-DN, which says: some subject.
Name template_subject(const SubjectRules& rules) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    for (const auto& field : rules.fields) {
      const auto type = Oid::from_dotted(field.oid);
      const auto value = template_value(field.rule);
      if (!type || !value) continue;
      writer.constructed(der::kSet, [&] {
        writer.constructed(der::kSequence, [&] {
          writer.object_identifier(*type);
          writer.utf8_string(*value);
        });
      });
    }
  });
  der::Reader reader(writer.bytes());
  return Name::read(reader).value_or(Name());
}

Extension key_usage_of(const ProfileSettings& profile) {
  std::vector<KeyUsageBit> bits;
  for (const int one : profile.key_usage) bits.push_back(static_cast<KeyUsageBit>(one));
  return key_usage_extension(bits);
}

Extension purposes_of(const ProfileSettings& profile) {
  std::vector<Oid> purposes;
  for (const auto& text : profile.extended_key_usage) {
    if (const auto purpose = Oid::from_dotted(text)) purposes.push_back(*purpose);
  }
  return extended_key_usage_extension(purposes);
}

// What the profile writes, where a request may name it; empty values where the requester says it.
Extensions template_extensions(const ProfileSettings& profile) {
  Extensions extensions;
  const auto denied = [&](std::string_view dotted) {
    return profile.extensions.rule_for(dotted).kind == ExtensionRule::Kind::deny;
  };
  if (!profile.key_usage.empty() && !denied("2.5.29.15")) {
    extensions.push_back(key_usage_of(profile));
  }
  if (!profile.extended_key_usage.empty() && !denied("2.5.29.37")) {
    extensions.push_back(purposes_of(profile));
  }
  for (const auto& field : profile.extensions.fields) {
    const auto id = Oid::from_dotted(field.oid);
    if (!id || find(extensions, *id) != nullptr) continue;
    if (field.rule.kind == ExtensionRule::Kind::default_) {
      extensions.push_back(
          {*id, field.rule.critical, from_hex(field.rule.der_hex).value_or(Bytes())});
    }
    const bool asked = field.rule.kind == ExtensionRule::Kind::copy ||
                       field.rule.kind == ExtensionRule::Kind::require;
    if (asked) extensions.push_back({*id, false, {}});
  }
  return extensions;
}

}  // namespace

std::vector<AlgorithmIdentifier> signing_key_types(const std::vector<Profile>& profiles) {
  return key_types(profiles, signs);
}

std::vector<AlgorithmIdentifier> encryption_key_types(const std::vector<Profile>& profiles) {
  return key_types(profiles, encrypts);
}

std::optional<AlgorithmIdentifier> key_parameters(const Oid& algorithm,
                                                  const std::vector<Profile>& profiles) {
  for (const auto& type : key_types(profiles, [](const auto&, unsigned) { return true; })) {
    if (type.algorithm == algorithm) return type;
  }
  return std::nullopt;
}

CertReqTemplateContent request_template(const Profile& profile) {
  const auto& settings = profile.settings();
  CertReqTemplateContent content;
  content.certTemplate.subject = template_subject(settings.subject);
  auto extensions = template_extensions(settings);
  if (!extensions.empty()) content.certTemplate.extensions = std::move(extensions);
  content.keySpec = key_spec(settings);
  return content;
}

}  // namespace cmpost
