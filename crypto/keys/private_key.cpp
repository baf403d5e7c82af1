#include "crypto/keys/private_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "asn1/pem.h"
#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

constexpr std::string_view kAlgorithms =
    "ec:P-256, ec:P-384, ec:P-521, rsa:2048 to rsa:16384, ed25519, ed448, x25519, x448";

struct Algorithm {
  std::string_view name;
  const char* type;
  const char* group;  // EC only
};
constexpr std::array<Algorithm, 13> kFixed = {{{"ec:P-256", "EC", "P-256"},
                                               {"ec:P-384", "EC", "P-384"},
                                               {"ec:P-521", "EC", "P-521"},
                                               {"P-256", "EC", "P-256"},
                                               {"P-384", "EC", "P-384"},
                                               {"P-521", "EC", "P-521"},
                                               {"ed25519", "ED25519", nullptr},
                                               {"ed448", "ED448", nullptr},
                                               {"x25519", "X25519", nullptr},
                                               {"x448", "X448", nullptr},
                                               {"ml-kem-512", "ML-KEM-512", nullptr},
                                               {"ml-kem-768", "ML-KEM-768", nullptr},
                                               {"ml-kem-1024", "ML-KEM-1024", nullptr}}};

// The bits in "rsa" and "rsa:2048".
std::optional<std::size_t> rsa_bits(std::string_view algorithm) {
  if (algorithm == "rsa") return 3072;
  if (!algorithm.starts_with("rsa:")) return std::nullopt;
  const auto digits = algorithm.substr(4);
  std::size_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (bits < 2048 || bits > 16384) return std::nullopt;
  return bits;
}

Result<EvpPkeyPtr> generate_native(std::string_view algorithm) {
  EvpPkeyPtr pkey;
  if (const auto bits = rsa_bits(algorithm)) {
    pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", *bits));
    if (!pkey) return openssl_failure("cannot generate a key");
    return pkey;
  }
  const auto* known = std::find_if(kFixed.begin(), kFixed.end(),
                                   [&](const Algorithm& a) { return a.name == algorithm; });
  if (known == kFixed.end()) {
    return hold("unknown key algorithm '" + printable(algorithm, 40) + "'",
                "use one of " + std::string(kAlgorithms));
  }
  pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, known->type, known->group));
  if (!pkey) return openssl_failure("cannot generate a key");
  return pkey;
}

bool is_private_key(std::string_view label) {
  return label == "PRIVATE KEY" || label == "ENCRYPTED PRIVATE KEY" || label == "RSA PRIVATE KEY" ||
         label == "EC PRIVATE KEY";
}

bool is_encrypted(const PemBlock& block) {
  return block.label == "ENCRYPTED PRIVATE KEY" ||
         block.body.find("Proc-Type: 4,ENCRYPTED") != block.body.npos;
}

// What was given instead of a private key, for somebody who picked the wrong file.
Error not_a_private_key(const std::vector<PemBlock>& blocks) {
  if (blocks.empty()) {
    return {Recovery::hold, "not a private key: this is not PEM",
            "a private key file begins with -----BEGIN PRIVATE KEY-----; a DER key can be "
            "converted with 'openssl pkey -inform DER'"};
  }
  const auto label = blocks[0].label;
  if (label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE") {
    return {Recovery::hold, "not a private key: this is a certificate",
            "give the file with the private key that belongs to it"};
  }
  if (label == "PUBLIC KEY" || label == "RSA PUBLIC KEY") {
    return {Recovery::hold, "not a private key: this is a public key",
            "give the file with the private key"};
  }
  if (label == "OPENSSH PRIVATE KEY") {
    return {Recovery::hold, "a private key in OpenSSH's own format",
            "convert a copy with 'ssh-keygen -p -m PKCS8 -f FILE'"};
  }
  return {Recovery::hold, "not a private key: this is " + printable(label, 40), {}};
}

Result<PemBlock> private_key_block(std::string_view pem) {
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(pem));
  const auto found = std::find_if(blocks.begin(), blocks.end(), [](const PemBlock& block) {
    return is_private_key(block.label);
  });
  if (found == blocks.end()) return failure(not_a_private_key(blocks));
  return *found;
}

int give_password(char* buffer, int size, int /*for_writing*/, void* argument) {
  const auto* password = static_cast<const std::string*>(argument);
  if (password == nullptr || password->size() > static_cast<std::size_t>(size)) return -1;
  std::copy(password->begin(), password->end(), buffer);
  return static_cast<int>(password->size());
}

Result<EvpPkeyPtr> read_block(const PemBlock& block, std::string* password) {
  const BioPtr bio(BIO_new_mem_buf(block.whole.data(), static_cast<int>(block.whole.size())));
  if (!bio) return openssl_failure("private key");
  EvpPkeyPtr pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, password));
  if (pkey) {
    ERR_clear_error();  // a decoder that tried and gave up may have left its complaint
    return pkey;
  }
  const Error error = openssl_error("private key");
  if (!is_encrypted(block) || error.recovery == Recovery::retry) return failure(error);
  return hold("private key: wrong password", "or the file is damaged (" + error.what + ")");
}

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;
using X509SigPtr = std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>>;
using X509AlgorPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;

// OpenSSL's own default of 2048 is from another time. Some tens of milliseconds at each start.
constexpr int kPbkdf2Iterations = 100'000;

bool write_encrypted(BIO* bio, PKCS8_PRIV_KEY_INFO* key, const std::string& password) {
  X509AlgorPtr pbe(PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kPbkdf2Iterations, nullptr, 16, nullptr,
                                     NID_hmacWithSHA256));
  if (!pbe) return false;
  const X509SigPtr sealed(
      PKCS8_set0_pbe(password.data(), static_cast<int>(password.size()), key, pbe.get()));
  if (!sealed) return false;
  (void)pbe.release();  // now owned by `sealed`
  return PEM_write_bio_PKCS8(bio, sealed.get()) == 1;
}

}  // namespace

Result<PrivateKey> PrivateKey::generate(std::string_view algorithm) {
  ASSIGN_OR_RETURN(EvpPkeyPtr pkey, generate_native(algorithm));
  ASSIGN_OR_RETURN(PublicKey key, public_key_of(pkey.get()));
  return PrivateKey(std::make_shared<const Native>(Native{std::move(pkey), std::move(key)}));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem, std::optional<std::string> password) {
  ASSIGN_OR_RETURN(const PemBlock block, private_key_block(pem));
  if (is_encrypted(block) && !password) {
    return hold("private key: it is encrypted and no password was given",
                "name a file with the password in the setting beside the key");
  }
  if (block.whole.size() > (1U << 20)) return hold("private key: larger than 1 MiB");
  auto pkey = read_block(block, password ? &*password : nullptr);
  if (password) OPENSSL_cleanse(password->data(), password->size());
  if (!pkey) return failure(std::move(pkey).error());
  ASSIGN_OR_RETURN(PublicKey key, public_key_of(pkey->get()));
  return PrivateKey(std::make_shared<const Native>(Native{*std::move(pkey), std::move(key)}));
}

Result<PrivateKey> PrivateKey::from_pkcs8(ByteView der) {
  if (der.size() > (1U << 16)) return hold("private key: larger than 64 KiB");
  const std::uint8_t* at = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != der.data() + der.size()) return openssl_failure("private key");
  EvpPkeyPtr pkey(EVP_PKCS82PKEY(info.get()));
  if (!pkey) return openssl_failure("private key");
  ERR_clear_error();
  ASSIGN_OR_RETURN(PublicKey key, public_key_of(pkey.get()));
  return PrivateKey(std::make_shared<const Native>(Native{std::move(pkey), std::move(key)}));
}

Result<Bytes> PrivateKey::to_pkcs8() const {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(native_->pkey.get()));
  std::uint8_t* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
  if (size <= 0) return openssl_failure("cannot write the private key");
  Bytes octets(der, der + size);
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return octets;
}

Result<std::string> PrivateKey::to_pem(std::optional<std::string> password) const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const Pkcs8Ptr key(EVP_PKEY2PKCS8(native_->pkey.get()));
  if (!bio || !key) return openssl_failure("cannot write the private key");
  const bool written = password ? write_encrypted(bio.get(), key.get(), *password)
                                : PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), key.get()) == 1;
  if (!written) return openssl_failure("cannot write the private key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

const PublicKey& PrivateKey::public_key() const { return native_->public_key; }

}  // namespace cmpost
