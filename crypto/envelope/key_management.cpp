#include "crypto/envelope/key_management.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <functional>

#include "crypto/envelope/key_wrap.h"
#include "crypto/keys/constant_time.h"
#include "crypto/keys/native_key.h"
#include "crypto/secrets/agreed_mac.h"

namespace cmpost {
namespace {

// RSAES-OAEP-params (RFC 4055 4.1): all three have SHA-1 as their default.
struct OaepHashes {
  Digest hash = Digest::sha1, mask = Digest::sha1;
};

der::Parsed<OaepHashes> read_oaep(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  OaepHashes hashes;
  const auto digest = [&at](const AlgorithmIdentifier& algorithm) -> der::Parsed<Digest> {
    const auto known = digest_by_oid(algorithm.algorithm);
    if (!known || *known == Digest::shake128 || *known == Digest::shake256) {
      return at.fault("unknown hash");
    }
    return *known;
  };
  ASSIGN_OR_RETURN(auto hash, at.enter_optional(der::context_constructed(0)));
  if (hash) {
    ASSIGN_OR_RETURN(const auto algorithm, read_algorithm(*hash));
    ASSIGN_OR_RETURN(hashes.hash, digest(algorithm));
  }
  ASSIGN_OR_RETURN(auto mask, at.enter_optional(der::context_constructed(1)));
  if (mask) {
    ASSIGN_OR_RETURN(const auto mgf1, read_algorithm(*mask));
    if (mgf1.algorithm != oid::id_mgf1 || !mgf1.parameters) return at.fault("not MGF1");
    der::Reader inner(*mgf1.parameters);
    ASSIGN_OR_RETURN(const auto algorithm, read_algorithm(inner));
    ASSIGN_OR_RETURN(hashes.mask, digest(algorithm));
  }
  TRY(at.finish());
  return hashes;
}

bool set_oaep(EVP_PKEY_CTX* context, const OaepHashes& hashes) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, fetched(hashes.hash)) > 0 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, fetched(hashes.mask)) > 0;
}

using Prepare = std::function<bool(EVP_PKEY_CTX*)>;

// Empty when OpenSSL refuses it.
Bytes decrypt_rsa(const PrivateKey& own, ByteView encrypted, const Prepare& prepare) {
  const EvpPkeyCtxPtr context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, own.native().pkey.get(), nullptr));
  std::size_t size = (own.public_key().bits() + 7) / 8;
  Bytes text(size);
  if (!context || encrypted.size() != size || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      !prepare(context.get()) ||
      EVP_PKEY_decrypt(context.get(), text.data(), &size, encrypted.data(), encrypted.size()) !=
          1) {
    return {};
  }
  text.resize(size);
  return text;
}

// OpenSSL looks at the padding in constant time, and who cannot make a padding that is right does
// not learn why it is wrong (Manger's attack).
ContentKey recover_oaep(const PrivateKey& own, const OaepHashes& hashes, ByteView encrypted,
                        std::size_t size) {
  auto recovered = random_key(size);
  auto key =
      decrypt_rsa(own, encrypted, [&](EVP_PKEY_CTX* context) { return set_oaep(context, hashes); });
  if (key.size() != size) return recovered;
  return {std::move(key), true};
}

// EB = 00 || 02 || PS || 00 || key (RFC 8017 7.2.2). OpenSSL 3.0 says when that is wrong, so its
// padding is looked at here: with a size that is known it has one place for each of its parts.
ContentKey recover_pkcs1(const PrivateKey& own, ByteView encrypted, std::size_t size) {
  constexpr std::size_t kLeast = 11;
  auto recovered = random_key(size);
  auto block = decrypt_rsa(own, encrypted, [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0;
  });
  if (block.size() < size + kLeast) return recovered;
  const auto end = block.size() - size - 1;
  Mask right = mask_of_zero(block[0]) & mask_of_equal(block[1], 2) & mask_of_zero(block[end]);
  for (std::size_t i = 2; i < end; ++i) right &= ~mask_of_zero(block[i]);
  choose(right, recovered.key, ByteView(block).last(size));
  OPENSSL_cleanse(block.data(), block.size());
  recovered.right = right != 0;
  return recovered;
}

void write_ukm(der::Writer& writer, const std::optional<Bytes>& ukm) {
  if (!ukm) return;
  writer.constructed(der::context_constructed(0), [&] { writer.octet_string(*ukm); });
}

// ECC-CMS-SharedInfo (RFC 5753 7.2).
Bytes shared_info(const AlgorithmIdentifier& wrap, std::size_t size,
                  const std::optional<Bytes>& ukm) {
  const auto bits = static_cast<std::uint32_t>(size * 8);
  const Bytes big_endian = {0, 0, static_cast<std::uint8_t>(bits >> 8),
                            static_cast<std::uint8_t>(bits)};
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, wrap);
    write_ukm(writer, ukm);
    writer.constructed(der::context_constructed(2), [&] { writer.octet_string(big_endian); });
  });
  return std::move(writer).take();
}

// SHA-1 is what OpenSSL takes when nobody chooses; for a key derivation it will do.
const Oid* hash_of(const Oid& scheme) {
  if (scheme == oid::dhSinglePass_stdDH_sha1kdf_scheme) return &oid::id_sha1;
  if (scheme == oid::dhSinglePass_stdDH_sha256kdf_scheme) return &oid::id_sha256;
  if (scheme == oid::dhSinglePass_stdDH_sha384kdf_scheme) return &oid::id_sha384;
  return scheme == oid::dhSinglePass_stdDH_sha512kdf_scheme ? &oid::id_sha512 : nullptr;
}

}  // namespace

AlgorithmIdentifier oaep_with_sha256() {
  const AlgorithmIdentifier sha256{oid::id_sha256, {}};
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.constructed(der::context_constructed(0), [&] { write(writer, sha256); });
    writer.constructed(der::context_constructed(1), [&] {
      writer.constructed(der::kSequence, [&] {
        writer.object_identifier(oid::id_mgf1);
        write(writer, sha256);
      });
    });
  });
  return {oid::id_RSAES_OAEP, std::move(writer).take()};
}

Result<Bytes> transport_key(const PublicKey& recipient, ByteView key) {
  const EvpPkeyCtxPtr context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, recipient.native().pkey.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      !set_oaep(context.get(), {Digest::sha256, Digest::sha256}) ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, key.data(), key.size()) != 1) {
    return openssl_failure("cannot encrypt to the recipient");
  }
  Bytes encrypted(size);
  if (EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, key.data(), key.size()) != 1) {
    return openssl_failure("cannot encrypt to the recipient");
  }
  encrypted.resize(size);
  return encrypted;
}

ContentKey random_key(std::size_t size) {
  ContentKey random{Bytes(size), false};
  CHECK(RAND_bytes(random.key.data(), static_cast<int>(size)) == 1);
  return random;
}

ContentKey unwrapped_key(const Result<Bytes>& kek, ByteView wrapped, std::size_t size) {
  auto recovered = random_key(size);
  auto key = kek ? unwrap_key(*kek, wrapped) : Result<Bytes>(Bytes());
  ERR_clear_error();
  if (!key || key->size() != size) return recovered;
  return {*std::move(key), true};
}

Result<ContentKey> recover_key(const PrivateKey& own, const AlgorithmIdentifier& algorithm,
                               ByteView encrypted, std::size_t size) {
  const bool oaep = algorithm.algorithm == oid::id_RSAES_OAEP;
  if (!oaep && algorithm.algorithm != oid::rsaEncryption) {
    return hold("key transport by " + algorithm.algorithm.name() + " is not supported");
  }
  const auto hashes =
      oaep && algorithm.parameters ? read_oaep(*algorithm.parameters) : der::Parsed<OaepHashes>();
  if (!hashes) return hold("RSAES-OAEP: " + to_string(hashes.error()));
  if (own.type() != KeyType::rsa) return hold("key transport is for RSA keys");
  auto recovered =
      oaep ? recover_oaep(own, *hashes, encrypted, size) : recover_pkcs1(own, encrypted, size);
  ERR_clear_error();
  return recovered;
}

Result<Bytes> agreed_kek(ByteView agreed, const Oid& scheme, const AlgorithmIdentifier& wrap,
                         std::size_t size, const std::optional<Bytes>& ukm) {
  const auto* hash = hash_of(scheme);
  if (hash == nullptr) return hold("key agreement by " + scheme.name() + " is not supported");
  der::Writer parameters;
  write(parameters, AlgorithmIdentifier{*hash, {}});
  // KDF2 of X9.44 is the KDF of X9.63.
  return derive_key({oid::id_kdf_kdf2, std::move(parameters).take()}, agreed,
                    shared_info(wrap, size, ukm), size);
}

Result<Bytes> kem_kek(const AlgorithmIdentifier& kdf, ByteView shared_secret,
                      const AlgorithmIdentifier& wrap, std::size_t size,
                      const std::optional<Bytes>& ukm) {
  der::Writer info;
  info.constructed(der::kSequence, [&] {
    write(info, wrap);
    info.integer(static_cast<std::int64_t>(size));
    write_ukm(info, ukm);
  });
  return derive_key(kdf, shared_secret, info.bytes(), size);
}

Result<Bytes> password_kek(ByteView password, ByteView salt, std::int64_t iterations, Digest prf,
                           std::size_t size) {
  Bytes kek(size);
  if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                        static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), fetched(prf),
                        static_cast<int>(kek.size()), kek.data()) != 1) {
    return openssl_failure("cannot derive a key");
  }
  return kek;
}

}  // namespace cmpost
