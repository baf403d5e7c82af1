#include "crypto/envelope/content_cipher.h"

#include <openssl/err.h>

#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

std::size_t gcm_key_size(const Oid& algorithm) {
  if (algorithm == oid::id_aes128_GCM) return 16;
  if (algorithm == oid::id_aes192_GCM) return 24;
  return algorithm == oid::id_aes256_GCM ? 32 : 0;
}

tl::unexpected<Error> not_supported(const AlgorithmIdentifier& algorithm) {
  return hold("encryption by " + algorithm.algorithm.name() + " is not supported");
}

der::Parsed<ContentCipher> read_cbc(const AlgorithmIdentifier& algorithm) {
  ContentCipher cipher;
  cipher.key_size = cbc_key_size(algorithm.algorithm);
  der::Reader reader(*algorithm.parameters);
  ASSIGN_OR_RETURN(const ByteView iv, reader.octet_string());
  TRY(reader.finish());
  if (iv.size() != 16) return reader.fault("an IV has 16 octets");
  cipher.iv = to_bytes(iv);
  return cipher;
}

// GCMParameters (RFC 5084 3.2).
der::Parsed<ContentCipher> read_gcm(const AlgorithmIdentifier& algorithm) {
  ContentCipher cipher;
  cipher.key_size = gcm_key_size(algorithm.algorithm);
  der::Reader reader(*algorithm.parameters);
  ASSIGN_OR_RETURN(der::Reader at, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(const ByteView nonce, at.octet_string());
  std::int64_t tag_size = 12;
  if (!at.at_end()) {
    ASSIGN_OR_RETURN(tag_size, at.integer());
  }
  TRY(at.finish());
  if (nonce.empty() || nonce.size() > 64) return at.fault("aes-nonce");
  if (tag_size < 12 || tag_size > 16) return at.fault("aes-ICVlen");
  cipher.iv = to_bytes(nonce);
  cipher.tag_size = static_cast<std::size_t>(tag_size);
  return cipher;
}

const char* gcm_name(std::size_t key_size) {
  return key_size == 16 ? "AES-128-GCM" : key_size == 24 ? "AES-192-GCM" : "AES-256-GCM";
}

struct FetchedCipher {
  explicit FetchedCipher(const char* name) : cipher(EVP_CIPHER_fetch(nullptr, name, nullptr)) {}
  FetchedCipher(const FetchedCipher&) = delete;
  FetchedCipher& operator=(const FetchedCipher&) = delete;
  ~FetchedCipher() { EVP_CIPHER_free(cipher); }
  EVP_CIPHER* cipher;
};

// Ready for content: key, nonce and associated data are in it.
CipherCtxPtr gcm_context(const EVP_CIPHER* cipher, ByteView key, ByteView nonce,
                         ByteView associated, bool encrypts) {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ready =
      context && cipher != nullptr &&
      EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, encrypts ? 1 : 0, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()),
                          nullptr) == 1 &&
      EVP_CipherInit_ex2(context.get(), nullptr, key.data(), nonce.data(), encrypts ? 1 : 0,
                         nullptr) == 1 &&
      (associated.empty() || EVP_CipherUpdate(context.get(), nullptr, &size, associated.data(),
                                              static_cast<int>(associated.size())) == 1);
  return ready ? std::move(context) : nullptr;
}

Result<Plaintext> decrypt_gcm(const ContentCipher& cipher, ByteView key, ByteView encrypted,
                              ByteView tag, ByteView associated) {
  if (tag.size() != cipher.tag_size) return hold("the mac has another size than aes-ICVlen says");
  const FetchedCipher gcm(gcm_name(cipher.key_size));
  const auto context = gcm_context(gcm.cipher, key, cipher.iv, associated, false);
  Plaintext plain{Bytes(encrypted.size()), false};
  Bytes expected = to_bytes(tag);
  int size = 0;
  const bool decrypted =
      context &&
      (encrypted.empty() ||
       EVP_CipherUpdate(context.get(), plain.content.data(), &size, encrypted.data(),
                        static_cast<int>(encrypted.size())) == 1) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()),
                          expected.data()) == 1;
  if (!decrypted) return openssl_failure("cannot decrypt");
  std::uint8_t rest[16];
  plain.right = EVP_CipherFinal_ex(context.get(), rest, &size) == 1;
  ERR_clear_error();
  return plain;
}

}  // namespace

Result<ContentCipher> content_cipher(const AlgorithmIdentifier& algorithm, bool authenticated) {
  const auto size =
      authenticated ? gcm_key_size(algorithm.algorithm) : cbc_key_size(algorithm.algorithm);
  if (size == 0 || !algorithm.parameters) return not_supported(algorithm);
  auto cipher = authenticated ? read_gcm(algorithm) : read_cbc(algorithm);
  if (!cipher) return hold(algorithm.algorithm.name() + ": " + to_string(cipher.error()));
  return *std::move(cipher);
}

Result<Plaintext> decrypt_content(const ContentCipher& cipher, ByteView key, ByteView encrypted,
                                  ByteView tag, ByteView associated) {
  if (cipher.tag_size) return decrypt_gcm(cipher, key, encrypted, tag, associated);
  ASSIGN_OR_RETURN(auto unpadded, decrypt_cbc(key, cipher.iv, encrypted));
  return Plaintext{std::move(unpadded.text), unpadded.right};
}

Result<Authenticated> encrypt_authenticated(ByteView key, ByteView nonce, ByteView content,
                                            ByteView associated) {
  if (nonce.size() != kNonceSize || key.size() != 32) return hold("AES-256-GCM: wrong sizes");
  const FetchedCipher gcm(gcm_name(key.size()));
  const auto context = gcm_context(gcm.cipher, key, nonce, associated, true);
  Authenticated made{{oid::id_aes256_GCM, {}}, Bytes(content.size()), Bytes(kTagSize)};
  int size = 0;
  std::uint8_t rest[16];
  const bool done = context &&
                    (content.empty() ||
                     EVP_CipherUpdate(context.get(), made.encrypted.data(), &size, content.data(),
                                      static_cast<int>(content.size())) == 1) &&
                    EVP_CipherFinal_ex(context.get(), rest, &size) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                                        static_cast<int>(kTagSize), made.tag.data()) == 1;
  if (!done) return openssl_failure("cannot encrypt");
  der::Writer parameters;
  parameters.constructed(der::kSequence, [&] {
    parameters.octet_string(nonce);
    parameters.integer(static_cast<std::int64_t>(kTagSize));
  });
  made.algorithm.parameters = std::move(parameters).take();
  return made;
}

}  // namespace cmpost
