#include "crypto/envelope/key_wrap.h"

#include <openssl/err.h>

#include "crypto/keys/constant_time.h"
#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

struct CipherUse {
  const char* name;
  ByteView key, iv, input;
  bool encrypts;
  bool pads = true;
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
         EVP_CIPHER_CTX_set_padding(context.get(), use.pads ? 1 : 0) == 1 &&
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

constexpr std::size_t kBlock = 16;

Result<const char*> cbc_name(ByteView key, ByteView iv) {
  if (iv.size() != kBlock) return hold("AES-CBC: the IV does not have 16 octets");
  return aes_name(key.size(), "AES-128-CBC", "AES-192-CBC", "AES-256-CBC");
}

// PKCS#7: n octets with the value n, 1 to 16. Nobody may learn from the time what stands there: who
// can send the text again, changed, would read it by that.
Unpadded unpadded(Bytes&& text) {
  const std::uint32_t count = text.back();
  Mask right = mask_of_less(0, count) & ~mask_of_less(kBlock, count);
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    right &= mask_of_equal(text[text.size() - 1 - i], count) | ~mask_of_less(i, count);
  }
  text.resize(text.size() - chosen(right, count, kBlock));
  return {std::move(text), right != 0};
}

}  // namespace

Result<Bytes> wrap_key(ByteView kek, ByteView key) { return run_wrap(kek, key, true); }
Result<Bytes> unwrap_key(ByteView kek, ByteView wrapped) { return run_wrap(kek, wrapped, false); }

Result<Bytes> encrypt_cbc(ByteView key, ByteView iv, ByteView text) {
  ASSIGN_OR_RETURN(const auto* const name, cbc_name(key, iv));
  return run_cipher({name, key, iv, text, true});
}
Result<Unpadded> decrypt_cbc(ByteView key, ByteView iv, ByteView encrypted) {
  ASSIGN_OR_RETURN(const auto* const name, cbc_name(key, iv));
  if (encrypted.empty() || encrypted.size() % kBlock != 0) {
    return hold("AES-CBC: not a whole number of blocks");
  }
  ASSIGN_OR_RETURN(auto padded, run_cipher({name, key, iv, encrypted, false, false}));
  return unpadded(std::move(padded));
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
