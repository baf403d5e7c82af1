#include "crypto/key_package.h"

#include <openssl/crypto.h>

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

// OpenSSL 3.0 reads version 1 alone.
Result<PrivateKey> to_key(KeyParts&& parts) {
  auto public_key = std::exchange(parts.public_key, std::nullopt);
  parts.version = 0;
  der::Writer writer;
  write_key_parts(writer, parts);
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  Bytes pkcs8 = std::move(writer).take();
  auto key = PrivateKey::from_pkcs8(pkcs8);
  OPENSSL_cleanse(pkcs8.data(), pkcs8.size());
  if (!key || !public_key) return key;
  der::Reader spki(key->public_key().spki());
  const auto own = read_spki(spki);
  if (own && own->key == *public_key) return key;
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
  std::optional<GeneralName> identifier;
  std::optional<std::string> token;
  auto parts = [&]() -> der::Parsed<KeyParts> {
    der::Reader reader(der);
    ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
    TRY(reader.finish());
    ASSIGN_OR_RETURN(auto key, read_key_parts(at));
    if (at.peek() == der::kUtf8String) {
      ASSIGN_OR_RETURN(token, at.utf8_string());
    } else if (!at.at_end()) {
      ASSIGN_OR_RETURN(identifier, read_general_name(at));
    }
    TRY(at.finish());
    return key;
  }();
  if (!parts) return hold("EncKeyWithID: " + to_string(parts.error()));
  ASSIGN_OR_RETURN(auto key, to_key(*std::move(parts)));
  return EncKeyWithID{std::move(key), std::move(identifier), std::move(token)};
}

Result<Bytes> encode(const EncKeyWithID& value) {
  ASSIGN_OR_RETURN(auto parts, parts_of(value.key));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write_key_parts(writer, parts);
    if (value.identifier) writer.raw(value.identifier->der);
    if (value.token) writer.utf8_string(*value.token);
  });
  OPENSSL_cleanse(parts.private_key.data(), parts.private_key.size());
  return std::move(writer).take();
}

}  // namespace cmpost
