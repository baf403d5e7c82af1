#include "crypto/keys/signature.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

using Kind = SignatureScheme::Kind;

bool is_eddsa(const SignatureScheme& scheme) {
  return scheme.kind == Kind::ed25519 || scheme.kind == Kind::ed448;
}

// Padding and digest of an initialised context. ECDSA takes the digest as it comes, and so SHAKE
// too.
bool configure(EVP_PKEY_CTX* context, const SignatureScheme& scheme) {
  if (scheme.kind == Kind::ecdsa) return true;
  const bool pss = scheme.kind == Kind::rsa_pss;
  const EVP_MD* md = fetched(scheme.digest);
  const int padding = pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  if (EVP_PKEY_CTX_set_rsa_padding(context, padding) <= 0 ||
      EVP_PKEY_CTX_set_signature_md(context, md) <= 0) {
    return false;
  }
  return !pss ||
         (EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) > 0 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(scheme.salt_length)) > 0);
}

EvpPkeyCtxPtr verification_context(EVP_PKEY* pkey, const SignatureScheme& scheme) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  const bool ready =
      context && EVP_PKEY_verify_init(context.get()) == 1 && configure(context.get(), scheme);
  return ready ? std::move(context) : nullptr;
}

EvpPkeyCtxPtr signing_context(EVP_PKEY* pkey, const SignatureScheme& scheme) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  const bool ready =
      context && EVP_PKEY_sign_init(context.get()) == 1 && configure(context.get(), scheme);
  return ready ? std::move(context) : nullptr;
}

// OpenSSL says 1 for a good signature and complains in many ways about a bad one.
Result<Verdict> verdict_of(int answer) {
  if (answer == 1) return Verdict::good;
  Error error = openssl_error("signature");
  if (error.recovery == Recovery::retry) return failure(std::move(error));
  return Verdict::bad;
}

Result<Verdict> verify_digest(EVP_PKEY_CTX* context, const Bytes& digest, ByteView signature) {
  return verdict_of(
      EVP_PKEY_verify(context, signature.data(), signature.size(), digest.data(), digest.size()));
}

Result<Verdict> verify_ecdsa(const PublicKey& key, const SignatureScheme& scheme,
                             const Bytes& digest, ByteView signature) {
  auto& pool = key.native().ecdsa_verification;
  auto context = pool.take();
  if (!context) context = verification_context(key.native().pkey.get(), scheme);
  if (!context) return openssl_failure("cannot verify");
  auto verdict = verify_digest(context.get(), digest, signature);
  pool.put(std::move(context));
  return verdict;
}

Result<Verdict> verify_rsa(const PublicKey& key, const SignatureScheme& scheme, const Bytes& digest,
                           ByteView signature) {
  const auto context = verification_context(key.native().pkey.get(), scheme);
  if (!context) return openssl_failure("cannot verify");
  return verify_digest(context.get(), digest, signature);
}

Result<MdCtxPtr> new_digest_context() {
  MdCtxPtr context(EVP_MD_CTX_new());
  if (!context) return openssl_failure("no context for EdDSA");
  return context;
}

// EdDSA hashes the data twice, so it takes them whole.
Result<Verdict> verify_eddsa(const PublicKey& key, ByteView data, ByteView signature) {
  ASSIGN_OR_RETURN(const MdCtxPtr context, new_digest_context());
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.native().pkey.get()) !=
      1) {
    return openssl_failure("cannot verify");
  }
  return verdict_of(EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                                     data.size()));
}

Result<Bytes> sign_digest(EVP_PKEY_CTX* context, const Bytes& digest, std::size_t max_size) {
  Bytes signature(max_size);
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) != 1) {
    return openssl_failure("cannot sign");
  }
  signature.resize(size);
  return signature;
}

Result<Bytes> sign_eddsa(EVP_PKEY* pkey, ByteView data, std::size_t max_size) {
  ASSIGN_OR_RETURN(const MdCtxPtr context, new_digest_context());
  Bytes signature(max_size);
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) != 1) {
    return openssl_failure("cannot sign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace

Result<Verdict> verify(const PublicKey& key, const AlgorithmIdentifier& algorithm, ByteView data,
                       ByteView signature) {
  ASSIGN_OR_RETURN(const SignatureScheme scheme, signature_scheme(algorithm));
  if (!fits(scheme, key)) {
    return hold(algorithm.algorithm.name() + " does not fit a key of type " + key.description());
  }
  if (signature.empty()) return Verdict::bad;
  if (is_eddsa(scheme)) return verify_eddsa(key, data, signature);
  const Bytes digest = hash(scheme.digest, data);
  return scheme.kind == Kind::ecdsa ? verify_ecdsa(key, scheme, digest, signature)
                                    : verify_rsa(key, scheme, digest, signature);
}

struct Signer::State {
  PrivateKey key;
  AlgorithmIdentifier algorithm;
  SignatureScheme scheme;
  std::size_t max_size = 0;
  mutable ContextPool contexts;

  EVP_PKEY* pkey() const { return key.native().pkey.get(); }
};

Result<Signer> Signer::create(const PrivateKey& key, const AlgorithmIdentifier& algorithm) {
  ASSIGN_OR_RETURN(const SignatureScheme scheme, signature_scheme(algorithm));
  if (!fits(scheme, key.public_key())) {
    return hold(algorithm.algorithm.name() + " does not fit a key of type " +
                key.public_key().description());
  }
  const int max_size = EVP_PKEY_get_size(key.native().pkey.get());
  if (max_size <= 0) return openssl_failure("cannot sign");
  return Signer(std::shared_ptr<const State>(
      new State{key, algorithm, scheme, static_cast<std::size_t>(max_size), {}}));
}

const AlgorithmIdentifier& Signer::algorithm() const { return state_->algorithm; }
const PublicKey& Signer::public_key() const { return state_->key.public_key(); }

Result<Bytes> Signer::sign(ByteView data) const {
  if (is_eddsa(state_->scheme)) return sign_eddsa(state_->pkey(), data, state_->max_size);
  auto context = state_->contexts.take();
  if (!context) context = signing_context(state_->pkey(), state_->scheme);
  if (!context) return openssl_failure("cannot sign");
  auto signature = sign_digest(context.get(), hash(state_->scheme.digest, data), state_->max_size);
  state_->contexts.put(std::move(context));
  return signature;
}

}  // namespace cmpost
