#include "crypto/secrets/agreed_mac.h"

#include <openssl/crypto.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <array>

#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

using KdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;

der::Parsed<std::pair<AlgorithmIdentifier, AlgorithmIdentifier>> read_dhbm(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  std::pair<AlgorithmIdentifier, AlgorithmIdentifier> parts;
  ASSIGN_OR_RETURN(parts.first, read_algorithm(inside));
  ASSIGN_OR_RETURN(parts.second, read_algorithm(inside));
  TRY(inside.finish());
  return parts;
}

struct KemParts {
  AlgorithmIdentifier kdf, mac;
  std::optional<Bytes> kemContext;
  std::int64_t len = 0;
};
der::Parsed<KemParts> read_kem(ByteView whole) {
  constexpr std::size_t kMaxContext = 1024;
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  KemParts parts;
  ASSIGN_OR_RETURN(parts.kdf, read_algorithm(inside));
  // The module of RFC 9810 has explicit tags.
  ASSIGN_OR_RETURN(auto context, inside.enter_optional(der::context_constructed(0)));
  if (context) {
    ASSIGN_OR_RETURN(const ByteView octets, context->octet_string());
    TRY(context->finish());
    if (octets.size() > kMaxContext) return inside.fault("kemContext is too long");
    parts.kemContext = to_bytes(octets);
  }
  ASSIGN_OR_RETURN(parts.len, inside.integer());
  ASSIGN_OR_RETURN(parts.mac, read_algorithm(inside));
  TRY(inside.finish());
  return parts;
}

void write_kem_context(der::Writer& writer, const std::optional<Bytes>& context) {
  if (!context) return;
  writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*context); });
}

struct KnownKdf {
  const Oid* oid;
  const char* name;  // OpenSSL's
  std::optional<Digest> digest;
};
const std::array<KnownKdf, 5> kKdfs = {{
    {&oid::id_alg_hkdf_with_sha256, "HKDF", Digest::sha256},
    {&oid::id_alg_hkdf_with_sha384, "HKDF", Digest::sha384},
    {&oid::id_alg_hkdf_with_sha512, "HKDF", Digest::sha512},
    {&oid::id_kdf_kdf2, "X963KDF", std::nullopt},
    {&oid::id_kdf_kdf3, "SSKDF", std::nullopt},
}};

// The hash of KDF2 and KDF3 is their parameter.
Result<Digest> kdf_digest(const KnownKdf& known, const AlgorithmIdentifier& kdf) {
  const auto& parameters = kdf.parameters;
  if (known.digest) {
    if (!parameters) return *known.digest;
    return hold(kdf.algorithm.name() + ": there are parameters");
  }
  if (!parameters) return hold(kdf.algorithm.name() + ": there are no parameters");
  der::Reader reader(*parameters);
  const auto algorithm = read_algorithm(reader);
  if (!algorithm || !reader.finish()) return hold(kdf.algorithm.name() + ": malformed parameters");
  ASSIGN_OR_RETURN(const auto digest, one_way_function(*algorithm, true, kdf.algorithm.name()));
  if (digest == Digest::shake128 || digest == Digest::shake256) {
    return hold(kdf.algorithm.name() + ": the hash is not supported");
  }
  return digest;
}

Result<Bytes> run_kdf(const char* name, Digest digest, ByteView input, ByteView info,
                      std::size_t length) {
  EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, name, nullptr);
  const KdfCtxPtr context(kdf != nullptr ? EVP_KDF_CTX_new(kdf) : nullptr);
  EVP_KDF_free(kdf);
  const auto octets = [](ByteView view) { return const_cast<std::uint8_t*>(view.data()); };
  std::string md(EVP_MD_get0_name(fetched(digest)));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md.data(), md.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, octets(input), input.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, octets(info), info.size()),
      OSSL_PARAM_construct_end()};
  Bytes output(length);
  if (!context || EVP_KDF_derive(context.get(), output.data(), output.size(), parameters) != 1) {
    return openssl_failure("cannot derive a key");
  }
  return output;
}

Result<const KnownKdf*> known_kdf(const AlgorithmIdentifier& kdf) {
  const auto known =
      std::ranges::find_if(kKdfs, [&](const KnownKdf& one) { return *one.oid == kdf.algorithm; });
  if (known == kKdfs.end()) return hold("kdf " + kdf.algorithm.name() + " is not supported");
  return &*known;
}

}  // namespace

Result<DHBMParameter> dhbm_parameter(const AlgorithmIdentifier& algorithm,
                                     const MacLimits& limits) {
  if (algorithm.algorithm != oid::id_DHBasedMac || !algorithm.parameters) {
    return hold("not DHBasedMac with its parameters");
  }
  const auto parts = read_dhbm(*algorithm.parameters);
  if (!parts) return hold("DHBasedMac: " + to_string(parts.error()));
  DHBMParameter parameter;
  parameter.owf_algorithm = parts->first;
  ASSIGN_OR_RETURN(parameter.owf,
                   one_way_function(parts->first, limits.allow_sha1_owf, "DHBasedMac"));
  auto mac = mac_scheme(parts->second, limits.allow_hmac_sha1);
  if (!mac) return failure(std::move(mac).error().within("DHBasedMac"));
  parameter.mac = std::move(*mac);
  return parameter;
}

AlgorithmIdentifier to_algorithm(const DHBMParameter& parameter) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, parameter.owf_algorithm);
    write(writer, parameter.mac.algorithm);
  });
  return {oid::id_DHBasedMac, std::move(writer).take()};
}

DHBMParameter make_dhbm_parameter() {
  DHBMParameter parameter;
  parameter.owf_algorithm = {oid::id_sha256, {}};
  parameter.mac = mac_scheme({oid::id_hmacWithSHA256, {}}).value();
  return parameter;
}

Result<Bytes> dh_based_mac(const DHBMParameter& parameter, ByteView agreed, ByteView data) {
  Bytes base_key = hash(parameter.owf, agreed);
  Bytes key = mac_key(parameter.mac, parameter.owf, base_key);
  auto mac = compute_mac(parameter.mac, key, data);
  OPENSSL_cleanse(base_key.data(), base_key.size());
  OPENSSL_cleanse(key.data(), key.size());
  return mac;
}

Result<KemBMParameter> kem_parameter(const AlgorithmIdentifier& algorithm,
                                     const MacLimits& limits) {
  if (algorithm.algorithm != oid::id_KemBasedMac || !algorithm.parameters) {
    return hold("not KemBasedMac with its parameters");
  }
  auto parts = read_kem(*algorithm.parameters);
  if (!parts) return hold("KemBasedMac: " + to_string(parts.error()));
  KemBMParameter parameter;
  auto mac = mac_scheme(parts->mac, limits.allow_hmac_sha1);
  if (!mac) return failure(std::move(mac).error().within("KemBasedMac"));
  ASSIGN_OR_RETURN(const auto* const known, known_kdf(parts->kdf));
  TRY(kdf_digest(*known, parts->kdf));
  const auto fixed = static_cast<std::int64_t>(mac->key_size);
  if (fixed != 0 ? parts->len != fixed : parts->len < 16 || parts->len > 128) {
    return hold("KemBasedMac: len " + std::to_string(parts->len) + " does not fit the MAC");
  }
  parameter.kdf = std::move(parts->kdf);
  parameter.kemContext = std::move(parts->kemContext);
  parameter.len = static_cast<std::size_t>(parts->len);
  parameter.mac = std::move(*mac);
  return parameter;
}

AlgorithmIdentifier to_algorithm(const KemBMParameter& parameter) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, parameter.kdf);
    write_kem_context(writer, parameter.kemContext);
    writer.integer(static_cast<std::int64_t>(parameter.len));
    write(writer, parameter.mac.algorithm);
  });
  return {oid::id_KemBasedMac, std::move(writer).take()};
}

KemBMParameter make_kem_parameter() {
  KemBMParameter parameter;
  parameter.kdf = {oid::id_alg_hkdf_with_sha256, {}};
  parameter.len = 32;
  parameter.mac = mac_scheme({oid::id_hmacWithSHA256, {}}).value();
  return parameter;
}

Bytes encode_kem_other_info(ByteView transactionID, const std::optional<Bytes>& kemContext) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::kSequence, [&] { writer.utf8_string("CMP-KEM"); });
    writer.octet_string(transactionID);
    write_kem_context(writer, kemContext);
  });
  return std::move(writer).take();
}

Result<Bytes> kem_mac_key(const KemBMParameter& parameter, ByteView shared_secret,
                          ByteView transactionID) {
  return derive_key(parameter.kdf, shared_secret,
                    encode_kem_other_info(transactionID, parameter.kemContext), parameter.len);
}

Result<Bytes> derive_key(const AlgorithmIdentifier& kdf, ByteView input, ByteView info,
                         std::size_t length) {
  ASSIGN_OR_RETURN(const auto* const known, known_kdf(kdf));
  ASSIGN_OR_RETURN(const auto digest, kdf_digest(*known, kdf));
  return run_kdf(known->name, digest, input, info, length);
}

}  // namespace cmpost
