#include "crypto/envelope/key_package.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>

#include "crypto/keys/key_pair.h"
#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

// The parts of a PrivateKeyInfo or OneAsymmetricKey.
struct KeyParts {
  std::int64_t version = 0;
  AlgorithmIdentifier algorithm;
  Bytes private_key;
  std::optional<Bytes> public_key;
};

der::Parsed<KeyParts> read_key_parts(der::Reader& reader) {
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  KeyParts parts;
  ASSIGN_OR_RETURN(parts.version, at.integer());
  if (parts.version != 0 && parts.version != 1) return at.fault("version of PrivateKeyInfo");
  ASSIGN_OR_RETURN(parts.algorithm, read_algorithm(at));
  ASSIGN_OR_RETURN(const ByteView key, at.octet_string());
  parts.private_key = to_bytes(key);
  TRY(at.optional(der::context_constructed(0)));  // attributes
  if (at.peek() == der::context(1)) {
    ASSIGN_OR_RETURN(const auto bits, at.bit_string(der::context(1)));
    parts.public_key = to_bytes(bits.octets);
  }
  TRY(at.finish());
  return parts;
}

void write_key_parts(der::Writer& writer, const KeyParts& parts) {
  writer.constructed(der::kSequence, [&] {
    writer.integer(parts.version);
    write(writer, parts.algorithm);
    writer.octet_string(parts.private_key);
    if (parts.public_key) writer.bit_string(*parts.public_key, 0, der::context(1));
  });
}

// ECPrivateKey (RFC 5915), whose public half OpenSSL would believe. So it is left out and computed;
// what stood there has to be the same.
struct Scalar {
  Bytes alone;
  std::optional<Bytes> parameters, public_key;
};
der::Parsed<Scalar> read_scalar(ByteView private_key) {
  der::Reader reader(private_key);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  Scalar scalar;
  ASSIGN_OR_RETURN(const auto version, at.integer());
  if (version != 1) return at.fault("version of ECPrivateKey");
  ASSIGN_OR_RETURN(const auto octets, at.octet_string());
  ASSIGN_OR_RETURN(const auto parameters, at.optional(der::context_constructed(0)));
  if (parameters) scalar.parameters = to_bytes(parameters->content);
  ASSIGN_OR_RETURN(auto bits, at.enter_optional(der::context_constructed(1)));
  if (bits) {
    ASSIGN_OR_RETURN(const auto point, bits->bit_string());
    TRY(bits->finish());
    scalar.public_key = to_bytes(point.octets);
  }
  TRY(at.finish());
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(version);
    writer.octet_string(octets);
  });
  scalar.alone = std::move(writer).take();
  return scalar;
}

// False: it is no ECPrivateKey for these parameters.
bool leave_scalar_alone(KeyParts& parts, std::vector<Bytes>& public_keys) {
  auto scalar = read_scalar(parts.private_key);
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  if (!scalar) return false;
  parts.private_key = std::move(scalar->alone);
  if (scalar->public_key) public_keys.push_back(*std::move(scalar->public_key));
  return !scalar->parameters || scalar->parameters == parts.algorithm.parameters;
}

bool has_public_half(const PrivateKey& key, const std::vector<Bytes>& public_keys) {
  der::Reader spki(key.public_key().spki());
  const auto own = read_spki(spki);
  return own && std::ranges::all_of(public_keys, [&](const Bytes& one) { return one == own->key; });
}

// RSAPrivateKey (RFC 8017 A.1.2) of two primes; what is not RSA has no such version.
bool has_version_of_two_primes(const KeyParts& parts) {
  if (parts.algorithm.algorithm == oid::id_ecPublicKey) return true;
  der::Reader reader(parts.private_key);
  const auto at = reader.peek() == der::kSequence ? reader.enter(der::kSequence)
                                                  : der::Parsed<der::Reader>(der::Reader({}));
  if (!at || at->at_end()) return true;
  der::Reader inside = *at;
  return inside.integer() == 0;
}

struct ReadKey {
  PrivateKey key;
  bool is_pair = false;  // its halves belong together, and to the public key that came along
};

// OpenSSL 3.0 reads version 1 alone.
Result<ReadKey> read_key(KeyParts&& parts) {
  std::vector<Bytes> public_keys;
  if (parts.public_key) public_keys.push_back(*std::exchange(parts.public_key, std::nullopt));
  parts.version = 0;
  const bool elliptic = parts.algorithm.algorithm == oid::id_ecPublicKey;
  if (!has_version_of_two_primes(parts)) return hold("private key: version");
  if (elliptic && !leave_scalar_alone(parts, public_keys)) {
    return hold("private key: not an ECPrivateKey");
  }
  der::Writer writer;
  write_key_parts(writer, parts);
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  Bytes pkcs8 = std::move(writer).take();
  auto key = PrivateKey::from_pkcs8(pkcs8);
  OPENSSL_cleanse(pkcs8.data(), pkcs8.size());
  if (!key) return failure(std::move(key).error());
  const bool consistent = is_consistent(*key);
  const bool same = has_public_half(*key, public_keys);
  return ReadKey{*std::move(key), consistent && same};
}

Result<PrivateKey> to_key(KeyParts&& parts) {
  ASSIGN_OR_RETURN(auto read, read_key(std::move(parts)));
  if (read.is_pair) return std::move(read.key);
  return hold("private key: the public key beside it is another's");
}

Result<KeyParts> parts_of(const PrivateKey& key) {
  ASSIGN_OR_RETURN(Bytes pkcs8, key.to_pkcs8());
  der::Reader reader(pkcs8);
  auto parts = read_key_parts(reader);
  OPENSSL_cleanse(pkcs8.data(), pkcs8.size());
  if (!parts) return hold("private key: " + to_string(parts.error()));
  return *std::move(parts);
}

struct PartsWithId {
  KeyParts key;
  std::optional<GeneralName> identifier;
  std::optional<std::string> token;
};

der::Parsed<PartsWithId> read_parts_with_id(ByteView der) {
  der::Reader reader(der);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  PartsWithId parts;
  ASSIGN_OR_RETURN(parts.key, read_key_parts(at));
  if (at.peek() == der::kUtf8String) {
    ASSIGN_OR_RETURN(parts.token, at.utf8_string());
  } else if (!at.at_end()) {
    ASSIGN_OR_RETURN(parts.identifier, read_general_name(at));
  }
  TRY(at.finish());
  return parts;
}

Bytes encode_parts(const KeyParts& parts, const std::optional<GeneralName>& identifier,
                   const std::optional<std::string>& token = {}) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write_key_parts(writer, parts);
    if (identifier) writer.raw(identifier->der);
    if (token) writer.utf8_string(*token);
  });
  return std::move(writer).take();
}

KeyParts made_up_parts(const PublicKey& like) {
  KeyParts parts;
  parts.algorithm = spki_algorithm(like);
  parts.private_key = made_up_private_key(like);
  return parts;
}

// Of the same kind and size, so that it takes as long as something made up.
bool is_like(const KeyParts& parts, const PublicKey& expected) {
  const auto& wanted = spki_algorithm(expected);
  const bool same_kind = parts.algorithm.algorithm == wanted.algorithm;
  return same_kind && (parts.algorithm.algorithm != oid::id_ecPublicKey ||
                       parts.algorithm.parameters == wanted.parameters);
}

}  // namespace

Result<Bytes> encode_key_package(const PrivateKey& key) {
  ASSIGN_OR_RETURN(auto parts, parts_of(key));
  der::Reader spki(key.public_key().spki());
  const auto own = read_spki(spki);
  if (!own) return hold("private key: " + to_string(own.error()));
  parts.version = 1;
  parts.public_key = own->key;
  der::Writer writer;
  writer.constructed(der::kSequence, [&] { write_key_parts(writer, parts); });
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  return std::move(writer).take();
}

Result<PrivateKey> read_key_package(ByteView der) {
  der::Reader reader(der);
  auto parts = [&]() -> der::Parsed<KeyParts> {
    ASSIGN_OR_RETURN(der::Reader list, reader.enter(der::kSequence));
    TRY(reader.finish());
    ASSIGN_OR_RETURN(auto one, read_key_parts(list));
    TRY(list.finish());
    return one;
  }();
  if (!parts) return hold("AsymmetricKeyPackage: " + to_string(parts.error()));
  return to_key(*std::move(parts));
}

Result<EncKeyWithID> read_enc_key_with_id(ByteView der) {
  auto parts = read_parts_with_id(der);
  if (!parts) return hold("EncKeyWithID: " + to_string(parts.error()));
  ASSIGN_OR_RETURN(auto key, to_key(std::move(parts->key)));
  return EncKeyWithID{std::move(key), std::move(parts->identifier), std::move(parts->token)};
}

std::optional<JudgedKey> judge_enc_key_with_id(ByteView content, const PublicKey& expected,
                                               const GeneralName& stand_in) {
  auto made_up = encode_parts(made_up_parts(expected), stand_in);
  auto parts = read_parts_with_id(content);
  const bool fits = parts && is_like(parts->key, expected);
  if (!fits) parts = read_parts_with_id(made_up);
  OPENSSL_cleanse(made_up.data(), made_up.size());
  if (!parts) return std::nullopt;
  auto read = read_key(std::move(parts->key));
  if (!read) read = read_key(made_up_parts(expected));
  ERR_clear_error();
  if (!read) return std::nullopt;
  const bool same = equal(read->key.public_key().spki(), expected.spki());
  return JudgedKey{{std::move(read->key), std::move(parts->identifier), std::move(parts->token)},
                   fits && read->is_pair && same};
}

Result<Bytes> encode(const EncKeyWithID& value) {
  ASSIGN_OR_RETURN(auto parts, parts_of(value.key));
  auto encoded = encode_parts(parts, value.identifier, value.token);
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  return encoded;
}

}  // namespace cmpost
