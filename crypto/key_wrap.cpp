#include "crypto/key_wrap.h"

#include <openssl/err.h>

#include "crypto/openssl.h"

namespace cmpost {
namespace {

struct CipherUse {
  const char* name;
  ByteView key, iv, input;
  bool encrypts;
};

Result<Bytes> run_cipher(const CipherUse& use) {
  EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, use.name, nullptr);
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  Bytes output(use.input.size() + 32);
  int first = 0, last = 0;
  bool done = cipher != nullptr && context != nullptr;
  if (done) EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  done = done &&
         EVP_CipherInit_ex2(context.get(), cipher, use.key.data(),
                            use.iv.empty() ? nullptr : use.iv.data(), use.encrypts ? 1 : 0,
                            nullptr) == 1 &&
         EVP_CipherUpdate(context.get(), output.data(), &first, use.input.data(),
                          static_cast<int>(use.input.size())) == 1 &&
         EVP_CipherFinal_ex(context.get(), output.data() + first, &last) == 1;
  EVP_CIPHER_free(cipher);
  if (!done) {
    OPENSSL_cleanse(output.data(), output.size());
    return openssl_failure(use.encrypts ? "cannot encrypt" : "cannot decrypt");
  }
  output.resize(static_cast<std::size_t>(first + last));
  return output;
}

Result<const char*> aes_name(std::size_t key_size, const char* of16, const char* of24,
                             const char* of32) {
  switch (key_size) {
    case 16:
      return of16;
    case 24:
      return of24;
    case 32:
      return of32;
    default:
      return hold("AES has no key of " + std::to_string(key_size) + " octets");
  }
}

Result<Bytes> run_wrap(ByteView kek, ByteView input, bool encrypts) {
  ASSIGN_OR_RETURN(const auto* const name,
                   aes_name(kek.size(), "AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP"));
  return run_cipher({name, kek, {}, input, encrypts});
}

Result<Bytes> run_cbc(ByteView key, ByteView iv, ByteView input, bool encrypts) {
  if (iv.size() != 16) return hold("AES-CBC: the IV does not have 16 octets");
  ASSIGN_OR_RETURN(const auto* const name,
                   aes_name(key.size(), "AES-128-CBC", "AES-192-CBC", "AES-256-CBC"));
  return run_cipher({name, key, iv, input, encrypts});
}

}  // namespace

Result<Bytes> wrap_key(ByteView kek, ByteView key) { return run_wrap(kek, key, true); }
Result<Bytes> unwrap_key(ByteView kek, ByteView wrapped) { return run_wrap(kek, wrapped, false); }

Result<Bytes> encrypt_cbc(ByteView key, ByteView iv, ByteView text) {
  return run_cbc(key, iv, text, true);
}
Result<Bytes> decrypt_cbc(ByteView key, ByteView iv, ByteView encrypted) {
  return run_cbc(key, iv, encrypted, false);
}

std::size_t wrap_key_size(const Oid& algorithm) {
  if (algorithm == oid::id_aes128_wrap) return 16;
  if (algorithm == oid::id_aes192_wrap) return 24;
  return algorithm == oid::id_aes256_wrap ? 32 : 0;
}

std::size_t cbc_key_size(const Oid& algorithm) {
  if (algorithm == oid::id_aes128_CBC) return 16;
  if (algorithm == oid::id_aes192_CBC) return 24;
  return algorithm == oid::id_aes256_CBC ? 32 : 0;
}

}  // namespace cmpost
