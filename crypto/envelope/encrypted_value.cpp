#include "crypto/envelope/encrypted_value.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include "crypto/envelope/key_wrap.h"
#include "crypto/keys/native_key.h"

namespace cmpost {

Result<Bytes> encrypt_pkcs1(const PublicKey& recipient, ByteView content) {
  if (recipient.type() != KeyType::rsa) {
    return hold("PKCS#1: nothing can be encrypted to a key " + recipient.description());
  }
  const EvpPkeyCtxPtr context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, recipient.native().pkey.get(), nullptr));
  std::size_t size = (recipient.bits() + 7) / 8;
  Bytes encrypted(size);
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) <= 0 ||
      EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, content.data(), content.size()) !=
          1) {
    return openssl_failure("cannot encrypt to the recipient");
  }
  encrypted.resize(size);
  return encrypted;
}

Result<Bytes> encrypt_value(ByteView content, const PublicKey& recipient, Random& random) {
  if (recipient.type() != KeyType::rsa) {
    return hold("EncryptedValue: nothing can be encrypted to a key " + recipient.description());
  }
  Bytes key = random.bytes(16);
  const auto iv = random.bytes(16);
  ASSIGN_OR_RETURN(const auto encrypted_key, encrypt_pkcs1(recipient, key));
  ASSIGN_OR_RETURN(const auto encrypted, encrypt_cbc(key, iv, content));
  OPENSSL_cleanse(key.data(), key.size());
  der::Writer parameter;
  parameter.octet_string(iv);
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    write(writer, AlgorithmIdentifier{oid::id_aes128_CBC, parameter.bytes()},
          der::context_constructed(1));
    writer.bit_string(encrypted_key, 0, der::context(2));
    writer.bit_string(encrypted);
  });
  return std::move(writer).take();
}

}  // namespace cmpost
