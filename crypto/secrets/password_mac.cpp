#include "crypto/secrets/password_mac.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

bool has_no_parameters(const AlgorithmIdentifier& algorithm) {
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

Result<void> check_between(std::string_view scheme, std::string_view what, std::int64_t value,
                           std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return hold(std::string(scheme) + ": " + std::string(what) + " " + std::to_string(value) +
              " is not within " + std::to_string(low) + " to " + std::to_string(high));
}

Result<void> check_limits(std::string_view scheme, std::int64_t iterations, const Bytes& salt,
                          const MacLimits& limits) {
  TRY(check_between(scheme, "iterationCount", iterations, limits.min_iterations,
                    limits.max_iterations));
  return check_between(scheme, "salt length", static_cast<std::int64_t>(salt.size()),
                       static_cast<std::int64_t>(limits.min_salt),
                       static_cast<std::int64_t>(limits.max_salt));
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

Result<Bytes> mac_and_wipe(const MacScheme& mac, Bytes&& key, ByteView data) {
  auto output = compute_mac(mac, key, data);
  OPENSSL_cleanse(key.data(), key.size());
  return output;
}

der::Parsed<PBKDF2Parameter> read_pbkdf2(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  PBKDF2Parameter kdf;
  ASSIGN_OR_RETURN(const ByteView salt, inside.octet_string());
  kdf.salt = to_bytes(salt);
  ASSIGN_OR_RETURN(kdf.iterationCount, inside.integer());
  if (inside.peek() == der::kInteger) {
    ASSIGN_OR_RETURN(kdf.keyLength, inside.integer());
  }
  if (!inside.at_end()) {
    ASSIGN_OR_RETURN(kdf.prf_algorithm, read_algorithm(inside));
  }
  TRY(inside.finish());
  return kdf;
}

// Without prf it is HMAC-SHA1 (RFC 8018 A.2).
Result<Digest> prf_digest(const PBKDF2Parameter& kdf, const MacLimits& limits) {
  const AlgorithmIdentifier usual{oid::id_hmacWithSHA1, {}};
  auto prf = mac_scheme(kdf.prf_algorithm.value_or(usual), limits.allow_hmac_sha1);
  if (!prf) return failure(std::move(prf).error().within("PBKDF2"));
  // RFC 9481 6.2.2: GMAC "MUST NOT be used together with PBKDF2".
  if (prf->kind != MacScheme::Kind::hmac) return hold("PBKDF2: the prf is not an HMAC");
  return prf->digest;
}

Result<PBKDF2Parameter> checked_pbkdf2(const AlgorithmIdentifier& algorithm,
                                       const MacLimits& limits) {
  if (algorithm.algorithm != oid::id_PBKDF2 || !algorithm.parameters) {
    return hold("PBMAC1: the key derivation " + algorithm.algorithm.name() + " is not supported");
  }
  auto kdf = read_pbkdf2(*algorithm.parameters);
  if (!kdf) return hold("PBKDF2: " + to_string(kdf.error()));
  TRY(check_limits("PBKDF2", kdf->iterationCount, kdf->salt, limits));
  ASSIGN_OR_RETURN(kdf->prf, prf_digest(*kdf, limits));
  return *std::move(kdf);
}

struct PBMAC1Algorithms {
  AlgorithmIdentifier keyDerivationFunc, messageAuthScheme;
};
der::Parsed<PBMAC1Algorithms> read_pbmac1(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  PBMAC1Algorithms parts;
  ASSIGN_OR_RETURN(parts.keyDerivationFunc, read_algorithm(inside));
  ASSIGN_OR_RETURN(parts.messageAuthScheme, read_algorithm(inside));
  TRY(inside.finish());
  return parts;
}

// The octets of key that the MAC is used with.
Result<std::size_t> pbmac1_key_size(const PBMAC1Parameter& parameter) {
  const auto wanted = parameter.kdf.keyLength;
  const auto natural =
      parameter.mac.key_size != 0 ? parameter.mac.key_size : parameter.mac.output_size;
  if (!wanted) return natural;
  TRY(check_between("PBMAC1", "keyLength", *wanted, 14, 512));
  if (parameter.mac.key_size != 0 && *wanted != static_cast<std::int64_t>(natural)) {
    return hold("PBMAC1: keyLength does not fit " + parameter.mac.algorithm.algorithm.name());
  }
  return static_cast<std::size_t>(*wanted);
}

}  // namespace

Result<Digest> one_way_function(const AlgorithmIdentifier& algorithm, bool allow_sha1,
                                std::string_view what) {
  const auto digest = digest_by_oid(algorithm.algorithm);
  if (!digest || !has_no_parameters(algorithm)) {
    return hold(std::string(what) + ": owf " + algorithm.algorithm.name() + " is not supported");
  }
  if (*digest == Digest::sha1 && !allow_sha1) {
    return hold(std::string(what) + ": owf SHA-1 is not allowed");
  }
  return *digest;
}

Bytes mac_key(const MacScheme& mac, Digest owf, ByteView base_key) {
  Bytes key = to_bytes(base_key);
  if (mac.key_size == 0) return key;
  // "OWF("1" || BASEKEY) is used for the next most significant H bits of the key" and so on.
  for (char n = '1'; key.size() < mac.key_size; ++n) {
    Bytes input{static_cast<std::uint8_t>(n)};
    append(input, base_key);
    append(key, hash(owf, input));
    OPENSSL_cleanse(input.data(), input.size());
  }
  key.resize(mac.key_size);
  return key;
}

Result<PBMParameter> pbm_parameter(const AlgorithmIdentifier& algorithm, const MacLimits& limits) {
  if (algorithm.algorithm != oid::id_PasswordBasedMac || !algorithm.parameters) {
    return hold("not PasswordBasedMac with its parameters");
  }
  auto pbm = read_pbm(*algorithm.parameters);
  if (!pbm) return hold("PasswordBasedMac: " + to_string(pbm.error()));
  TRY(check_limits("PasswordBasedMac", pbm->iterationCount, pbm->salt, limits));
  ASSIGN_OR_RETURN(pbm->owf,
                   one_way_function(pbm->owf_algorithm, limits.allow_sha1_owf, "PasswordBasedMac"));
  auto mac = mac_scheme(pbm->mac_algorithm, limits.allow_hmac_sha1);
  if (!mac) return failure(std::move(mac).error().within("PasswordBasedMac"));
  pbm->mac = std::move(*mac);
  return *std::move(pbm);
}

PBMParameter make_pbm_parameter(Random& random, std::int64_t iterations, std::size_t salt_size) {
  const Bytes null = {der::kNull, 0};
  PBMParameter pbm;
  pbm.salt = random.bytes(salt_size);
  pbm.iterationCount = iterations;
  pbm.owf_algorithm = {oid::id_sha256, null};
  pbm.mac_algorithm = {oid::id_hmacWithSHA256, null};
  pbm.mac = mac_scheme(pbm.mac_algorithm).value();
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
  Bytes base_key(output_size(parameter.owf));
  if (!derive(parameter, secret, base_key)) return openssl_failure("cannot compute a MAC");
  Bytes key = mac_key(parameter.mac, parameter.owf, base_key);
  OPENSSL_cleanse(base_key.data(), base_key.size());
  return mac_and_wipe(parameter.mac, std::move(key), data);
}

Result<PBMAC1Parameter> pbmac1_parameter(const AlgorithmIdentifier& algorithm,
                                         const MacLimits& limits) {
  if (algorithm.algorithm != oid::id_PBMAC1 || !algorithm.parameters) {
    return hold("not PBMAC1 with its parameters");
  }
  const auto parts = read_pbmac1(*algorithm.parameters);
  if (!parts) return hold("PBMAC1: " + to_string(parts.error()));
  PBMAC1Parameter parameter;
  ASSIGN_OR_RETURN(parameter.kdf, checked_pbkdf2(parts->keyDerivationFunc, limits));
  auto mac = mac_scheme(parts->messageAuthScheme, limits.allow_hmac_sha1);
  if (!mac) return failure(std::move(mac).error().within("PBMAC1"));
  parameter.mac = std::move(*mac);
  ASSIGN_OR_RETURN(parameter.key_size, pbmac1_key_size(parameter));
  return parameter;
}

AlgorithmIdentifier to_algorithm(const PBMAC1Parameter& parameter) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::kSequence, [&] {
      writer.object_identifier(oid::id_PBKDF2);
      writer.constructed(der::kSequence, [&] {
        writer.octet_string(parameter.kdf.salt);
        writer.integer(parameter.kdf.iterationCount);
        if (parameter.kdf.keyLength) writer.integer(*parameter.kdf.keyLength);
        if (parameter.kdf.prf_algorithm) write(writer, *parameter.kdf.prf_algorithm);
      });
    });
    write(writer, parameter.mac.algorithm);
  });
  return {oid::id_PBMAC1, std::move(writer).take()};
}

PBMAC1Parameter make_pbmac1_parameter(Random& random, std::int64_t iterations) {
  const AlgorithmIdentifier hmac{oid::id_hmacWithSHA256, Bytes{der::kNull, 0}};
  PBMAC1Parameter parameter;
  parameter.kdf = {random.bytes(16), iterations, 32, Digest::sha256, hmac};
  parameter.mac = mac_scheme(hmac).value();
  parameter.key_size = 32;
  return parameter;
}

PBMAC1Parameter with_fresh_salt(const PBMAC1Parameter& like, Random& random) {
  PBMAC1Parameter parameter = like;
  random.fill(parameter.kdf.salt);
  parameter.mac = with_fresh_nonce(like.mac, random);
  return parameter;
}

Result<Bytes> pbmac1(const PBMAC1Parameter& parameter, ByteView secret, ByteView data) {
  Bytes key(parameter.key_size);
  const auto& kdf = parameter.kdf;
  if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(secret.data()),
                        static_cast<int>(secret.size()), kdf.salt.data(),
                        static_cast<int>(kdf.salt.size()), static_cast<int>(kdf.iterationCount),
                        fetched(kdf.prf), static_cast<int>(key.size()), key.data()) != 1) {
    return openssl_failure("cannot compute a MAC");
  }
  return mac_and_wipe(parameter.mac, std::move(key), data);
}

}  // namespace cmpost
