#include "ca/profile/key_rules.h"

#include <algorithm>

#include "crypto/x509/certificate.h"

namespace cmpost {
namespace {

bool matches(const KeyRule& rule, const PublicKey& key) {
  const auto bits = static_cast<int>(key.bits());
  switch (rule.kind) {
    case KeyRule::Kind::rsa:
      return key.type() == KeyType::rsa && rule.min_bits <= bits && bits <= rule.max_bits;
    case KeyRule::Kind::ec:
      return (key.type() == KeyType::ec_p256 && rule.curve == "P-256") ||
             (key.type() == KeyType::ec_p384 && rule.curve == "P-384") ||
             (key.type() == KeyType::ec_p521 && rule.curve == "P-521");
    case KeyRule::Kind::ed25519:
      return key.type() == KeyType::ed25519;
    case KeyRule::Kind::ed448:
      return key.type() == KeyType::ed448;
    case KeyRule::Kind::x25519:
      return key.type() == KeyType::x25519;
    case KeyRule::Kind::x448:
      return key.type() == KeyType::x448;
  }
  return false;
}

std::string spell(const KeyRule& rule) {
  switch (rule.kind) {
    case KeyRule::Kind::rsa: {
      const std::string least = "rsa:" + std::to_string(rule.min_bits);
      return rule.min_bits == rule.max_bits ? least : least + "-" + std::to_string(rule.max_bits);
    }
    case KeyRule::Kind::ec:
      return "ec:" + rule.curve;
    case KeyRule::Kind::ed25519:
      return "ed25519";
    case KeyRule::Kind::ed448:
      return "ed448";
    case KeyRule::Kind::x25519:
      return "x25519";
    case KeyRule::Kind::x448:
      return "x448";
  }
  return {};
}

std::string spell(const std::vector<KeyRule>& rules) {
  std::string text;
  for (const KeyRule& rule : rules) text += (text.empty() ? "" : ", ") + spell(rule);
  return text;
}

// Nothing when the profile has no rule for RSA, or the size lies between those of two rules.
std::string rsa_size_fault(const ProfileSettings& profile, int bits) {
  int least = 0;
  int most = 0;
  for (const KeyRule& rule : profile.keys) {
    if (rule.kind != KeyRule::Kind::rsa) continue;
    least = least == 0 ? rule.min_bits : std::min(least, rule.min_bits);
    most = std::max(most, rule.max_bits);
  }
  const std::string size = "RSA " + std::to_string(bits);
  if (bits < least) {
    return size + " is smaller than the " + std::to_string(least) + " that profile " +
           profile.name + " asks for";
  }
  if (most != 0 && bits > most) {
    return size + " is larger than the " + std::to_string(most) + " that profile " + profile.name +
           " allows";
  }
  return {};
}

constexpr std::uint32_t mask(std::initializer_list<KeyUsageBit> bits) {
  std::uint32_t set = 0;
  for (const KeyUsageBit bit : bits) set |= std::uint32_t{1} << static_cast<unsigned>(bit);
  return set;
}

}  // namespace

Allowed<void> check_key(const ProfileSettings& profile, const PublicKey& key) {
  for (const KeyRule& rule : profile.keys) {
    if (matches(rule, key)) return {};
  }
  if (key.type() == KeyType::rsa) {
    const std::string fault = rsa_size_fault(profile, static_cast<int>(key.bits()));
    if (!fault.empty()) return refuse(Refusal::Reason::key, fault);
  }
  return refuse(Refusal::Reason::key, "a key of type " + key.description() +
                                          " is none of those that profile " + profile.name +
                                          " allows: " + spell(profile.keys));
}

std::uint32_t possible_key_usage(KeyType type) {
  using enum KeyUsageBit;
  constexpr auto kSign = mask({digitalSignature, nonRepudiation, keyCertSign, cRLSign});
  constexpr auto kAgree = mask({keyAgreement, encipherOnly, decipherOnly});
  switch (type) {
    case KeyType::rsa:
      return kSign | mask({keyEncipherment, dataEncipherment});
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
      return kSign | kAgree;
    case KeyType::ed25519:
    case KeyType::ed448:
      return kSign;
    case KeyType::x25519:
    case KeyType::x448:
      return kAgree;
    case KeyType::other:
      break;
  }
  return kSign | kAgree | mask({keyEncipherment, dataEncipherment});
}

}  // namespace cmpost
