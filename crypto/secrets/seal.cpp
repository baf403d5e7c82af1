#include "crypto/secrets/seal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crypto/keys/openssl.h"
#include "crypto/secrets/mac.h"

namespace cmpost {
namespace {

// A sealed value: version, nonce, ciphertext, tag.
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kOverhead = 1 + kNonceSize + kTagSize;
constexpr std::size_t kMaxSecret = 1U << 24;

constexpr std::string_view kCannotSeal = "cannot seal a secret";
constexpr std::string_view kCannotUnseal = "cannot unseal a secret";

const EVP_CIPHER* fetched_cipher() {
  static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return kCipher;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The data that is authenticated and not encrypted: the version and what the value belongs to.
Bytes associated(std::string_view context) {
  Bytes data = {kVersion};
  append(data, view_of(context));
  return data;
}

// One update of the cipher; `output` may be null for associated data.
bool update(EVP_CIPHER_CTX* cipher, std::uint8_t* output, ByteView input) {
  int size = 0;
  return EVP_CipherUpdate(cipher, output, &size, input.data(), static_cast<int>(input.size())) ==
             1 &&
         static_cast<std::size_t>(size) == input.size();
}

Result<CipherCtxPtr> start(ByteView key, ByteView nonce, bool sealing, std::string_view context) {
  CipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  const auto data = associated(context);
  if (!cipher ||
      EVP_CipherInit_ex2(cipher.get(), fetched_cipher(), key.data(), nonce.data(), sealing ? 1 : 0,
                         nullptr) != 1 ||
      !update(cipher.get(), nullptr, data)) {
    return openssl_failure(sealing ? kCannotSeal : kCannotUnseal);
  }
  return cipher;
}

}  // namespace

void wipe(Bytes& octets) { OPENSSL_cleanse(octets.data(), octets.size()); }

SealingKey SealingKey::generate(Random& random) { return SealingKey(random.bytes(kKeySize)); }

Result<SealingKey> SealingKey::from_hex(std::string_view hex) {
  auto key = cmpost::from_hex(trimmed(hex));
  if (!key || key->size() != kKeySize) {
    return hold("a sealing key is 64 hexadecimal digits", "make one with 'openssl rand -hex 32'");
  }
  return SealingKey(*std::move(key));
}

std::string SealingKey::to_hex() const { return cmpost::to_hex(key_); }

Result<Bytes> SealingKey::seal(ByteView secret, std::string_view context, Random& random) const {
  if (secret.size() > kMaxSecret) return hold("a secret is at most 16 MiB");
  const Bytes nonce = random.bytes(kNonceSize);
  ASSIGN_OR_RETURN(const CipherCtxPtr cipher, start(key_, nonce, true, context));
  Bytes sealed(secret.size() + kOverhead);
  sealed[0] = kVersion;
  std::copy(nonce.begin(), nonce.end(), sealed.begin() + 1);
  std::uint8_t* text = sealed.data() + 1 + kNonceSize;
  std::uint8_t* tag = text + secret.size();
  int rest = 0;
  if (!update(cipher.get(), text, secret) || EVP_CipherFinal_ex(cipher.get(), tag, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) != 1) {
    return openssl_failure(kCannotSeal);
  }
  return sealed;
}

Result<Bytes> SealingKey::derive(std::string_view purpose, ByteView about) const {
  auto input = to_bytes(view_of("cmpost derives "));
  append(input, view_of(purpose));
  input.push_back(0);  // where the purpose ends
  append(input, about);
  return hmac_sha256(key_, input);
}

Result<Bytes> SealingKey::unseal(ByteView sealed, std::string_view context) const {
  if (sealed.size() < kOverhead || sealed.size() > kMaxSecret + kOverhead) {
    return hold(std::string(kCannotUnseal) + ": it is cut off");
  }
  if (sealed[0] != kVersion) return hold(std::string(kCannotUnseal) + ": unknown version");
  const auto nonce = sealed.subspan(1, kNonceSize);
  const auto text = sealed.subspan(1 + kNonceSize, sealed.size() - kOverhead);
  Bytes tag = to_bytes(sealed.last(kTagSize));
  ASSIGN_OR_RETURN(const CipherCtxPtr cipher, start(key_, nonce, false, context));
  Bytes secret(text.size());
  int rest = 0;
  if (EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1 ||
      !update(cipher.get(), secret.data(), text)) {
    return openssl_failure(kCannotUnseal);
  }
  if (EVP_CipherFinal_ex(cipher.get(), tag.data(), &rest) != 1) {
    OPENSSL_cleanse(secret.data(), secret.size());
    ERR_clear_error();
    return hold(std::string(kCannotUnseal),
                "another sealing key is in use, or the value was changed or moved");
  }
  return secret;
}

}  // namespace cmpost
