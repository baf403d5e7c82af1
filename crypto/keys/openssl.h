// Owners of OpenSSL's objects and its reasons, for this folder only.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

#include "base/free_with.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/public_key.h"

namespace cmpost {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using EvpPkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using MacCtxPtr = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

inline void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_certificates>>;

// Empties this thread's error queue into an Error: "doing: the library's reason". Recovery is
// retry for want of memory, else hold.
Error openssl_error(std::string_view doing);
inline auto openssl_failure(std::string_view doing) { return failure(openssl_error(doing)); }

// Fetched once for the life of the process; a fetch per use costs more than a digest of 32 octets.
const EVP_MD* fetched(Digest digest);
std::size_t output_size(Digest digest);

}  // namespace cmpost
