#include "crypto/secrets/mac_parameters.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace cmpost {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

constexpr std::array kDerived = {&oid::id_PasswordBasedMac, &oid::id_PBMAC1, &oid::id_DHBasedMac,
                                 &oid::id_KemBasedMac};

Result<Bytes> kem_based_mac(const KemBMParameter& parameter, ByteView secret,
                            ByteView transactionID, ByteView data) {
  ASSIGN_OR_RETURN(Bytes ssk, kem_mac_key(parameter, secret, transactionID));
  auto mac = compute_mac(parameter.mac, ssk, data);
  OPENSSL_cleanse(ssk.data(), ssk.size());
  return mac;
}

}  // namespace

bool is_mac(const Oid& algorithm) {
  if (std::ranges::any_of(kDerived, [&](const Oid* known) { return *known == algorithm; }))
    return true;
  static constexpr std::array kBare = {
      &oid::hMAC_SHA1,           &oid::id_hmacWithSHA1,     &oid::id_hmacWithSHA224,
      &oid::id_hmacWithSHA256,   &oid::id_hmacWithSHA384,   &oid::id_hmacWithSHA512,
      &oid::id_hmacWithSHA3_224, &oid::id_hmacWithSHA3_256, &oid::id_hmacWithSHA3_384,
      &oid::id_hmacWithSHA3_512, &oid::id_KMACWithSHAKE128, &oid::id_KMACWithSHAKE256,
      &oid::id_aes128_GMAC,      &oid::id_aes192_GMAC,      &oid::id_aes256_GMAC};
  return std::ranges::any_of(kBare, [&](const Oid* known) { return *known == algorithm; });
}

Result<MacParameters> mac_parameters(const AlgorithmIdentifier& algorithm,
                                     const MacLimits& limits) {
  const auto as_variant = [](auto&& read) -> Result<MacParameters> {
    if (!read) return failure(std::move(read).error());
    return MacParameters(*std::move(read));
  };
  const auto& id = algorithm.algorithm;
  if (id == oid::id_PasswordBasedMac) return as_variant(pbm_parameter(algorithm, limits));
  if (id == oid::id_PBMAC1) return as_variant(pbmac1_parameter(algorithm, limits));
  if (id == oid::id_DHBasedMac) return as_variant(dhbm_parameter(algorithm, limits));
  if (id == oid::id_KemBasedMac) return as_variant(kem_parameter(algorithm, limits));
  return as_variant(mac_scheme(algorithm, limits.allow_hmac_sha1));
}

AlgorithmIdentifier to_algorithm(const MacParameters& parameters) {
  return std::visit(Overloaded{[](const MacScheme& mac) { return mac.algorithm; },
                               [](const auto& derived) { return to_algorithm(derived); }},
                    parameters);
}

MacParameters renewed(const MacParameters& like, Random& random) {
  const auto renew = Overloaded{
      [&](const MacScheme& mac) -> MacParameters { return with_fresh_nonce(mac, random); },
      [&](const PBMParameter& pbm) -> MacParameters { return with_fresh_salt(pbm, random); },
      [&](const PBMAC1Parameter& pbmac1) -> MacParameters {
        return with_fresh_salt(pbmac1, random);
      },
      [&](const auto& agreed) -> MacParameters {
        auto parameters = agreed;
        parameters.mac = with_fresh_nonce(agreed.mac, random);
        return parameters;
      }};
  return std::visit(renew, like);
}

bool takes_secret_of(const MacParameters& parameters, std::size_t octets) {
  const auto* bare = std::get_if<MacScheme>(&parameters);
  return bare == nullptr || takes_key_of(*bare, octets);
}

Result<Bytes> compute_mac(const MacParameters& parameters, ByteView secret, ByteView transactionID,
                          ByteView data) {
  const auto compute = Overloaded{
      [&](const MacScheme& mac) { return compute_mac(mac, secret, data); },
      [&](const PBMParameter& pbm) { return password_based_mac(pbm, secret, data); },
      [&](const PBMAC1Parameter& parameter) { return pbmac1(parameter, secret, data); },
      [&](const DHBMParameter& dh) { return dh_based_mac(dh, secret, data); },
      [&](const KemBMParameter& kem) { return kem_based_mac(kem, secret, transactionID, data); }};
  return std::visit(compute, parameters);
}

}  // namespace cmpost
