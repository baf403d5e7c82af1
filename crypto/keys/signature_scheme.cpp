// AlgorithmIdentifiers of signatures (RFC 9481 3) and the keys that they fit.
#include <array>
#include <optional>

#include "crypto/keys/native_key.h"
#include "crypto/keys/signature.h"

namespace cmpost {
namespace {

using Kind = SignatureScheme::Kind;

struct KnownScheme {
  const Oid* oid;
  SignatureScheme scheme;
};
constexpr std::array<KnownScheme, 20> kKnownSchemes = {{
    {&oid::sha224WithRSAEncryption, {Kind::rsa_pkcs1, Digest::sha224}},
    {&oid::sha256WithRSAEncryption, {Kind::rsa_pkcs1, Digest::sha256}},
    {&oid::sha384WithRSAEncryption, {Kind::rsa_pkcs1, Digest::sha384}},
    {&oid::sha512WithRSAEncryption, {Kind::rsa_pkcs1, Digest::sha512}},
    {&oid::ecdsa_with_SHA224, {Kind::ecdsa, Digest::sha224}},
    {&oid::ecdsa_with_SHA256, {Kind::ecdsa, Digest::sha256}},
    {&oid::ecdsa_with_SHA384, {Kind::ecdsa, Digest::sha384}},
    {&oid::ecdsa_with_SHA512, {Kind::ecdsa, Digest::sha512}},
    {&oid::id_ecdsa_with_shake128, {Kind::ecdsa, Digest::shake128}},
    {&oid::id_ecdsa_with_shake256, {Kind::ecdsa, Digest::shake256}},
    {&oid::id_rsassa_pkcs1_v1_5_with_sha3_224, {Kind::rsa_pkcs1, Digest::sha3_224}},
    {&oid::id_rsassa_pkcs1_v1_5_with_sha3_256, {Kind::rsa_pkcs1, Digest::sha3_256}},
    {&oid::id_rsassa_pkcs1_v1_5_with_sha3_384, {Kind::rsa_pkcs1, Digest::sha3_384}},
    {&oid::id_rsassa_pkcs1_v1_5_with_sha3_512, {Kind::rsa_pkcs1, Digest::sha3_512}},
    {&oid::id_ecdsa_with_sha3_224, {Kind::ecdsa, Digest::sha3_224}},
    {&oid::id_ecdsa_with_sha3_256, {Kind::ecdsa, Digest::sha3_256}},
    {&oid::id_ecdsa_with_sha3_384, {Kind::ecdsa, Digest::sha3_384}},
    {&oid::id_ecdsa_with_sha3_512, {Kind::ecdsa, Digest::sha3_512}},
    {&oid::id_Ed25519, {Kind::ed25519, Digest::sha512}},
    {&oid::id_Ed448, {Kind::ed448, Digest::shake256}},
}};

bool is_null(const std::optional<Bytes>& parameters) {
  return parameters && parameters->size() == 2 && parameters->front() == der::kNull;
}

// RFC 4055 2.1: a hash function has NULL parameters or none, and both mean the same.
std::optional<Digest> plain_digest(const AlgorithmIdentifier& algorithm) {
  if (algorithm.parameters && !is_null(algorithm.parameters)) return std::nullopt;
  return digest_by_oid(algorithm.algorithm);
}

struct PssParameters {
  AlgorithmIdentifier hash{oid::id_sha1, {}};
  AlgorithmIdentifier mask_hash{oid::id_sha1, {}};
  std::int64_t salt_length = 20;
  std::int64_t trailer_field = 1;
};

der::Parsed<AlgorithmIdentifier> read_mask_hash(der::Reader& reader) {
  ASSIGN_OR_RETURN(const AlgorithmIdentifier mask, read_algorithm(reader));
  if (mask.algorithm != oid::id_mgf1 || !mask.parameters) {
    return reader.fault("maskGenAlgorithm is not MGF1");
  }
  der::Reader parameters(*mask.parameters);
  return read_algorithm(parameters);
}

// RSASSA-PSS-params (RFC 4055 3.1).
der::Parsed<PssParameters> read_pss(ByteView whole) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  PssParameters pss;
  ASSIGN_OR_RETURN(auto hash, inside.enter_optional(der::context_constructed(0)));
  if (hash) {
    ASSIGN_OR_RETURN(pss.hash, read_algorithm(*hash));
    TRY(hash->finish());
  }
  ASSIGN_OR_RETURN(auto mask, inside.enter_optional(der::context_constructed(1)));
  if (mask) {
    ASSIGN_OR_RETURN(pss.mask_hash, read_mask_hash(*mask));
    TRY(mask->finish());
  }
  ASSIGN_OR_RETURN(auto salt, inside.enter_optional(der::context_constructed(2)));
  if (salt) {
    ASSIGN_OR_RETURN(pss.salt_length, salt->integer());
    TRY(salt->finish());
  }
  ASSIGN_OR_RETURN(auto trailer, inside.enter_optional(der::context_constructed(3)));
  if (trailer) {
    ASSIGN_OR_RETURN(pss.trailer_field, trailer->integer());
    TRY(trailer->finish());
  }
  TRY(inside.finish());
  return pss;
}

Result<SignatureScheme> pss_scheme(const AlgorithmIdentifier& algorithm) {
  // RFC 4055 3.1: in a signature they are not optional, as they are in a key.
  if (!algorithm.parameters) return hold("id-RSASSA-PSS: the parameters are missing");
  const auto pss = read_pss(*algorithm.parameters);
  if (!pss) return hold("id-RSASSA-PSS: " + to_string(pss.error()));
  const auto digest = plain_digest(pss->hash);
  if (!digest || *digest == Digest::sha1 || *digest == Digest::shake128 ||
      *digest == Digest::shake256) {
    return hold("id-RSASSA-PSS: hash " + pss->hash.algorithm.name() + " is not supported");
  }
  if (plain_digest(pss->mask_hash) != digest) {
    return hold("id-RSASSA-PSS: MGF1 uses another hash than the signature");
  }
  if (pss->salt_length < 0 || pss->salt_length > 2048) {
    return hold("id-RSASSA-PSS: saltLength is out of range");
  }
  if (pss->trailer_field != 1) return hold("id-RSASSA-PSS: trailerField is not 1");
  return SignatureScheme{Kind::rsa_pss, *digest, static_cast<unsigned>(pss->salt_length)};
}

Result<SignatureScheme> unsupported(const AlgorithmIdentifier& algorithm) {
  const auto& id = algorithm.algorithm;
  if (id == oid::sha1WithRSAEncryption || id == oid::ecdsa_with_SHA1) {
    return hold("signatures with SHA-1 are refused (" + id.name() + ")");
  }
  if (id == oid::id_RSASSA_PSS_SHAKE128 || id == oid::id_RSASSA_PSS_SHAKE256) {
    // RFC 8702 makes the mask with SHAKE itself; OpenSSL only knows MGF1.
    return hold(id.name() + " is not supported by this OpenSSL");
  }
  return hold("unknown signature algorithm " + id.name());
}

bool is_ec(const PublicKey& key) {
  switch (key.type()) {
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
      return true;
    case KeyType::other:  // Brainpool and other named curves
      return EVP_PKEY_is_a(key.native().pkey.get(), "EC") == 1;
    default:
      return false;
  }
}

// RFC 4055 1.2: a key under id-RSASSA-PSS is for PSS alone.
bool is_pss_only(const PublicKey& key) {
  return key.native().spki.algorithm.algorithm == oid::id_RSASSA_PSS;
}

Bytes null_element() { return {der::kNull, 0}; }

AlgorithmIdentifier pss_with_sha256() {
  der::Writer w;
  w.constructed(der::kSequence, [&] {
    const AlgorithmIdentifier hash{oid::id_sha256, null_element()};
    w.constructed(der::context_constructed(0), [&] { write(w, hash); });
    w.constructed(der::context_constructed(1), [&] {
      w.constructed(der::kSequence, [&] {
        w.object_identifier(oid::id_mgf1);
        write(w, hash);
      });
    });
    w.constructed(der::context_constructed(2), [&] { w.integer(32); });
  });
  return {oid::id_RSASSA_PSS, std::move(w).take()};
}

AlgorithmIdentifier ecdsa_for(unsigned bits) {
  if (bits <= 256) return {oid::ecdsa_with_SHA256, {}};
  if (bits <= 384) return {oid::ecdsa_with_SHA384, {}};
  return {oid::ecdsa_with_SHA512, {}};
}

}  // namespace

Result<SignatureScheme> signature_scheme(const AlgorithmIdentifier& algorithm) {
  if (algorithm.algorithm == oid::id_RSASSA_PSS) return pss_scheme(algorithm);
  for (const auto& [id, scheme] : kKnownSchemes) {
    if (*id != algorithm.algorithm) continue;
    // RFC 4055 5: NULL for RSA PKCS#1 v1.5, where absent is forgiven; RFC 5758 3.2 and RFC 8410 3:
    // absent for ECDSA and EdDSA.
    const bool null_allowed = scheme.kind == Kind::rsa_pkcs1 && is_null(algorithm.parameters);
    if (algorithm.parameters && !null_allowed) {
      return hold(id->name() + ": the parameters are malformed");
    }
    return scheme;
  }
  return unsupported(algorithm);
}

bool fits(const SignatureScheme& scheme, const PublicKey& key) {
  switch (scheme.kind) {
    case Kind::rsa_pkcs1:
      return key.type() == KeyType::rsa && !is_pss_only(key);
    case Kind::rsa_pss:
      return key.type() == KeyType::rsa;
    case Kind::ecdsa:
      return is_ec(key);
    case Kind::ed25519:
      return key.type() == KeyType::ed25519;
    case Kind::ed448:
      return key.type() == KeyType::ed448;
  }
  return false;
}

AlgorithmIdentifier default_signature_algorithm(const PublicKey& key) {
  switch (key.type()) {
    case KeyType::ed25519:
      return {oid::id_Ed25519, {}};
    case KeyType::ed448:
      return {oid::id_Ed448, {}};
    case KeyType::rsa:
      if (is_pss_only(key)) return pss_with_sha256();
      return {oid::sha256WithRSAEncryption, null_element()};
    default:
      return ecdsa_for(key.bits());
  }
}

}  // namespace cmpost
