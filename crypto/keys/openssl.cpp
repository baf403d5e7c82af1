#include "crypto/keys/openssl.h"

#include <openssl/err.h>

#include <array>

namespace cmpost {
namespace {

constexpr std::array<const char*, 11> kDigestNames = {
    "SHA1",      "SHA224",   "SHA256",   "SHA384",   "SHA512",  "SHAKE-128",
    "SHAKE-256", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};
constexpr std::array<std::size_t, 11> kOutputSizes = {20, 28, 32, 48, 64, 32, 64, 28, 32, 48, 64};

std::string reason_of(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

using Digests = std::array<EVP_MD*, kDigestNames.size()>;

Digests fetch_all() {
  Digests digests{};
  for (std::size_t i = 0; i < digests.size(); ++i) {
    digests[i] = EVP_MD_fetch(nullptr, kDigestNames[i], nullptr);
    CHECK(digests[i] != nullptr);
  }
  return digests;
}

}  // namespace

Error openssl_error(std::string_view doing) {
  Error error{Recovery::hold, std::string(doing), {}};
  std::string reason;
  // The oldest entry names the cause; those behind it say through which layers it came.
  for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
    if (reason.empty()) reason = reason_of(code);
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) error.recovery = Recovery::retry;
  }
  if (!reason.empty()) error.what += ": " + reason;
  return error;
}

const EVP_MD* fetched(Digest digest) {
  static const Digests kDigests = fetch_all();  // never freed: OpenSSL tears itself down at exit
  return kDigests[static_cast<std::size_t>(digest)];
}

std::size_t output_size(Digest digest) { return kOutputSizes[static_cast<std::size_t>(digest)]; }

}  // namespace cmpost
