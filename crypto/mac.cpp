#include "crypto/mac.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.h"

namespace cmpost {
namespace {

struct KnownMac {
  const Oid* oid;
  MacAlgorithm mac;
};
// For writing, the first of a kind is taken.
constexpr std::array<KnownMac, 6> kMacs = {{{&oid::hMAC_SHA1, MacAlgorithm::hmac_sha1},
                                            {&oid::id_hmacWithSHA1, MacAlgorithm::hmac_sha1},
                                            {&oid::id_hmacWithSHA224, MacAlgorithm::hmac_sha224},
                                            {&oid::id_hmacWithSHA256, MacAlgorithm::hmac_sha256},
                                            {&oid::id_hmacWithSHA384, MacAlgorithm::hmac_sha384},
                                            {&oid::id_hmacWithSHA512, MacAlgorithm::hmac_sha512}}};

Digest digest_of(MacAlgorithm mac) {
  constexpr std::array<Digest, 5> kDigests = {Digest::sha1, Digest::sha224, Digest::sha256,
                                              Digest::sha384, Digest::sha512};
  return kDigests[static_cast<std::size_t>(mac)];
}

bool is_plain(const AlgorithmIdentifier& algorithm) {
  return !algorithm.parameters || *algorithm.parameters == Bytes{der::kNull, 0};
}

der::Parsed<PBMParameter> read_pbm(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  PBMParameter pbm;
  ASSIGN_OR_RETURN(const ByteView salt, inside.octet_string());
  pbm.salt = to_bytes(salt);
  ASSIGN_OR_RETURN(pbm.owf_algorithm, read_algorithm(inside));
  ASSIGN_OR_RETURN(pbm.iterationCount, inside.integer());
  ASSIGN_OR_RETURN(pbm.mac_algorithm, read_algorithm(inside));
  TRY(inside.finish());
  return pbm;
}

Result<Digest> owf(const AlgorithmIdentifier& algorithm, const PBMLimits& limits) {
  const auto digest = digest_by_oid(algorithm.algorithm);
  if (!digest || !is_plain(algorithm)) {
    return hold("PasswordBasedMac: owf " + algorithm.algorithm.name() + " is not supported");
  }
  if (*digest == Digest::sha1 && !limits.allow_sha1_owf) {
    return hold("PasswordBasedMac: owf SHA-1 is not allowed");
  }
  return *digest;
}

Result<MacAlgorithm> mac(const AlgorithmIdentifier& algorithm, const PBMLimits& limits) {
  const auto* known = std::find_if(
      kMacs.begin(), kMacs.end(), [&](const KnownMac& m) { return *m.oid == algorithm.algorithm; });
  if (known == kMacs.end() || !is_plain(algorithm)) {
    return hold("PasswordBasedMac: mac " + algorithm.algorithm.name() + " is not supported");
  }
  if (known->mac == MacAlgorithm::hmac_sha1 && !limits.allow_hmac_sha1) {
    return hold("PasswordBasedMac: HMAC-SHA1 is not allowed");
  }
  return known->mac;
}

Result<void> check_limits(const PBMParameter& pbm, const PBMLimits& limits) {
  const auto between = [](std::string what, auto value, auto low, auto high) -> Result<void> {
    if (value >= low && value <= high) return {};
    return hold("PasswordBasedMac: " + what + " " + std::to_string(value) + " is not within " +
                std::to_string(low) + " to " + std::to_string(high));
  };
  TRY(between("iterationCount", pbm.iterationCount, limits.min_iterations, limits.max_iterations));
  return between("salt length", pbm.salt.size(), limits.min_salt, limits.max_salt);
}

EVP_MD_CTX* thread_owf_context() {
  thread_local const MdCtxPtr context(EVP_MD_CTX_new());
  return context.get();
}

// One application of the owf. SHAKE gives the output length of RFC 8702.
bool apply_owf(EVP_MD_CTX* context, Digest digest, std::initializer_list<ByteView> input,
               Bytes& output) {
  if (EVP_DigestInit_ex2(context, fetched(digest), nullptr) != 1) return false;
  for (const auto part : input) {
    if (EVP_DigestUpdate(context, part.data(), part.size()) != 1) return false;
  }
  const bool shake = digest == Digest::shake128 || digest == Digest::shake256;
  return shake ? EVP_DigestFinalXOF(context, output.data(), output.size()) == 1
               : EVP_DigestFinal_ex(context, output.data(), nullptr) == 1;
}

// RFC 9810 5.1.3.1: "the salt value is appended to the shared secret input. The OWF is then applied
// iterationCount times". The caller wipes the key.
bool derive(const PBMParameter& parameter, ByteView secret, Bytes& key) {
  EVP_MD_CTX* context = thread_owf_context();
  if (context == nullptr || !apply_owf(context, parameter.owf, {secret, parameter.salt}, key)) {
    return false;
  }
  for (std::int64_t i = 1; i < parameter.iterationCount; ++i) {
    if (!apply_owf(context, parameter.owf, {key}, key)) return false;
  }
  return true;
}

EVP_MAC* fetched_hmac() {
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return kHmac;
}

Result<Bytes> hmac(Digest digest, ByteView key, ByteView data) {
  const MacCtxPtr context(EVP_MAC_CTX_new(fetched_hmac()));
  if (!context) return openssl_failure("cannot compute a MAC");
  std::string name(EVP_MD_get0_name(fetched(digest)));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), name.size()),
      OSSL_PARAM_construct_end()};
  Bytes output(output_size(digest));
  std::size_t size = 0;
  if (EVP_MAC_init(context.get(), key.data(), key.size(), parameters) != 1 ||
      EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
      EVP_MAC_final(context.get(), output.data(), &size, output.size()) != 1) {
    return openssl_failure("cannot compute a MAC");
  }
  return output;
}

}  // namespace

Result<PBMParameter> pbm_parameter(const AlgorithmIdentifier& algorithm, const PBMLimits& limits) {
  if (algorithm.algorithm != oid::id_PasswordBasedMac || !algorithm.parameters) {
    return hold("not PasswordBasedMac with its parameters");
  }
  auto pbm = read_pbm(*algorithm.parameters);
  if (!pbm) return hold("PasswordBasedMac: " + to_string(pbm.error()));
  ASSIGN_OR_RETURN(pbm->owf, owf(pbm->owf_algorithm, limits));
  ASSIGN_OR_RETURN(pbm->mac, mac(pbm->mac_algorithm, limits));
  TRY(check_limits(*pbm, limits));
  return *std::move(pbm);
}

PBMParameter make_pbm_parameter(Random& random, std::int64_t iterations, std::size_t salt_size) {
  const Bytes null = {der::kNull, 0};
  PBMParameter pbm;
  pbm.salt = random.bytes(salt_size);
  pbm.iterationCount = iterations;
  pbm.owf_algorithm = {oid::id_sha256, null};
  pbm.mac_algorithm = {oid::id_hmacWithSHA256, null};
  return pbm;
}

PBMParameter with_fresh_salt(const PBMParameter& like, Random& random) {
  PBMParameter pbm = like;
  random.fill(pbm.salt);
  return pbm;
}

AlgorithmIdentifier to_algorithm(const PBMParameter& parameter) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.octet_string(parameter.salt);
    write(writer, parameter.owf_algorithm);
    writer.integer(parameter.iterationCount);
    write(writer, parameter.mac_algorithm);
  });
  return {oid::id_PasswordBasedMac, std::move(writer).take()};
}

Result<Bytes> password_based_mac(const PBMParameter& parameter, ByteView secret, ByteView data) {
  if (parameter.iterationCount < 1) return hold("PasswordBasedMac: iterationCount is below 1");
  Bytes key(output_size(parameter.owf));
  if (!derive(parameter, secret, key)) return openssl_failure("cannot compute a MAC");
  auto output = hmac(digest_of(parameter.mac), key, data);
  OPENSSL_cleanse(key.data(), key.size());
  return output;
}

Result<Bytes> hmac_sha256(ByteView key, ByteView data) { return hmac(Digest::sha256, key, data); }

bool same_mac(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace cmpost
