#include "crypto/secrets/kem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "crypto/keys/native_key.h"
#include "crypto/secrets/agreed_mac.h"
#include "crypto/secrets/password_mac.h"

namespace cmpost {
namespace {

constexpr std::int64_t kRsaSecretSize = 32;

bool is_rsa(const PublicKey& key) {
  return key.type() == KeyType::rsa && spki_algorithm(key).algorithm != oid::id_RSASSA_PSS;
}

AlgorithmIdentifier kdf3_with_sha256() {
  der::Writer hash;
  write(hash, AlgorithmIdentifier{oid::id_sha256, {}});
  return {oid::id_kdf_kdf3, std::move(hash).take()};
}

// RsaKemParameters (RFC 9690): the key derivation that belongs to the KEM, and how much it gives.
struct RsaKem {
  AlgorithmIdentifier kdf = kdf3_with_sha256();
  std::int64_t key_length = kRsaSecretSize;
};

AlgorithmIdentifier to_algorithm(const RsaKem& kem) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, kem.kdf);
    writer.integer(kem.key_length);
  });
  return {oid::id_kem_rsa, std::move(writer).take()};
}

der::Parsed<RsaKem> read_rsa_kem(const AlgorithmIdentifier& algorithm) {
  RsaKem kem;
  if (!algorithm.parameters) return kem;
  der::Reader reader(*algorithm.parameters);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(kem.kdf, read_algorithm(inside));
  ASSIGN_OR_RETURN(kem.key_length, inside.integer());
  TRY(inside.finish());
  if (kem.key_length < 16 || kem.key_length > 64) return inside.fault("keyLength is out of range");
  return kem;
}

EvpPkeyCtxPtr kem_context(EVP_PKEY* pkey, bool rsa, bool encapsulating) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  const bool ready = context &&
                     (encapsulating ? EVP_PKEY_encapsulate_init(context.get(), nullptr)
                                    : EVP_PKEY_decapsulate_init(context.get(), nullptr)) == 1 &&
                     (!rsa || EVP_PKEY_CTX_set_kem_op(context.get(), "RSASVE") == 1);
  return ready ? std::move(context) : nullptr;
}

Result<Bytes> rsa_secret(const RsaKem& kem, Bytes&& z) {
  auto secret = derive_key(kem.kdf, z, {}, static_cast<std::size_t>(kem.key_length));
  OPENSSL_cleanse(z.data(), z.size());
  return secret;
}

}  // namespace

bool can_encapsulate(const PublicKey& key) {
  if (is_rsa(key)) return true;
  if (key.type() != KeyType::other) return false;
  const char* name = EVP_PKEY_get0_type_name(key.native().pkey.get());
  return name != nullptr && std::string_view(name).starts_with("ML-KEM-");
}

namespace {

using BnPtr = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using BnCtxPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

BnPtr number(const EVP_PKEY* pkey, const char* name) {
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &found) != 1) return nullptr;
  return BnPtr(found);
}

// `size` octets from the seed: SHA-256 of it and a counter.
Bytes expanded(ByteView seed, std::size_t size) {
  Bytes all;
  for (std::uint8_t counter = 0; all.size() < size; ++counter) {
    Bytes input = to_bytes(seed);
    input.push_back(counter);
    append(all, sha256(input));
    OPENSSL_cleanse(input.data(), input.size());
  }
  all.resize(size);
  return all;
}

// RSASVE (NIST SP 800-56B 7.2.1.2) with z from the seed; eight octets more than the modulus has
// leave no bias in the remainder.
Result<Encapsulated> encapsulate_to_rsa(const PublicKey& key, ByteView seed) {
  const auto* pkey = key.native().pkey.get();
  const BnCtxPtr context(BN_CTX_new());
  const auto n = number(pkey, OSSL_PKEY_PARAM_RSA_N), e = number(pkey, OSSL_PKEY_PARAM_RSA_E);
  const BnPtr c(BN_new());
  if (!context || !n || !e || !c) return openssl_failure("cannot encapsulate");
  const auto size = static_cast<std::size_t>(BN_num_bytes(n.get()));
  auto octets = expanded(seed, size + 8);
  const BnPtr z(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  OPENSSL_cleanse(octets.data(), octets.size());
  Encapsulated result{to_algorithm(RsaKem{}), Bytes(size), Bytes(size)};
  const auto whole = static_cast<int>(size);
  if (!z || BN_nnmod(z.get(), z.get(), n.get(), context.get()) != 1 ||
      BN_mod_exp(c.get(), z.get(), e.get(), n.get(), context.get()) != 1 ||
      BN_bn2binpad(z.get(), result.shared_secret.data(), whole) != whole ||
      BN_bn2binpad(c.get(), result.ciphertext.data(), whole) != whole) {
    return openssl_failure("cannot encapsulate");
  }
  ASSIGN_OR_RETURN(result.shared_secret, rsa_secret({}, std::move(result.shared_secret)));
  return result;
}

// What EVP_PKEY_encapsulate() gives; `seed`: for KEMs that take one instead of chance.
Result<Encapsulated> encapsulate_with(EVP_PKEY_CTX* context, ByteView seed) {
  if (!seed.empty()) {
    // OSSL_KEM_PARAM_IKME, which OpenSSL 3.0 does not name yet.
    auto octets = to_bytes(seed);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string("ikme", octets.data(), octets.size()),
        OSSL_PARAM_construct_end()};
    if (EVP_PKEY_CTX_set_params(context, parameters) != 1) {
      return openssl_failure("cannot encapsulate");
    }
  }
  std::size_t ciphertext_size = 0, secret_size = 0;
  if (EVP_PKEY_encapsulate(context, nullptr, &ciphertext_size, nullptr, &secret_size) != 1) {
    return openssl_failure("cannot encapsulate");
  }
  Encapsulated result{{}, Bytes(ciphertext_size), Bytes(secret_size)};
  if (EVP_PKEY_encapsulate(context, result.ciphertext.data(), &ciphertext_size,
                           result.shared_secret.data(), &secret_size) != 1) {
    return openssl_failure("cannot encapsulate");
  }
  result.ciphertext.resize(ciphertext_size);
  result.shared_secret.resize(secret_size);
  return result;
}

}  // namespace

Result<Encapsulated> encapsulate(const PublicKey& key, ByteView seed) {
  if (!can_encapsulate(key)) return hold("a key " + key.description() + " cannot encapsulate");
  if (is_rsa(key)) return encapsulate_to_rsa(key, seed);
  const auto context = kem_context(key.native().pkey.get(), false, true);
  if (!context) return openssl_failure("cannot encapsulate");
  ASSIGN_OR_RETURN(auto result, encapsulate_with(context.get(), seed));
  result.kem = spki_algorithm(key);
  return result;
}

Result<Encapsulated> encapsulate(const PublicKey& key) {
  if (!can_encapsulate(key)) return hold("a key " + key.description() + " cannot encapsulate");
  const bool rsa = is_rsa(key);
  const auto context = kem_context(key.native().pkey.get(), rsa, true);
  if (!context) return openssl_failure("cannot encapsulate");
  ASSIGN_OR_RETURN(auto result, encapsulate_with(context.get(), {}));
  result.kem = rsa ? to_algorithm(RsaKem{}) : spki_algorithm(key);
  if (!rsa) return result;
  ASSIGN_OR_RETURN(result.shared_secret, rsa_secret({}, std::move(result.shared_secret)));
  return result;
}

Result<Bytes> decapsulate(const PrivateKey& key, const AlgorithmIdentifier& kem,
                          ByteView ciphertext) {
  const bool rsa = is_rsa(key.public_key());
  const auto& own = spki_algorithm(key.public_key());
  if (!can_encapsulate(key.public_key()) || (rsa ? kem.algorithm != oid::id_kem_rsa : kem != own)) {
    return hold("the KEM " + kem.algorithm.name() + " does not fit the key");
  }
  const auto parameters = rsa ? read_rsa_kem(kem) : der::Parsed<RsaKem>();
  if (!parameters) return hold("RSA-KEM: " + to_string(parameters.error()));
  const auto context = kem_context(key.native().pkey.get(), rsa, false);
  std::size_t size = 0;
  if (!context || EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(),
                                       ciphertext.size()) != 1) {
    return openssl_failure("cannot decapsulate");
  }
  Bytes secret(size);
  if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                           ciphertext.size()) != 1) {
    return openssl_failure("cannot decapsulate");
  }
  secret.resize(size);
  return rsa ? rsa_secret(*parameters, std::move(secret)) : Result<Bytes>(std::move(secret));
}

}  // namespace cmpost
