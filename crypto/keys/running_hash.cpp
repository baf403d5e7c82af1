#include "crypto/keys/running_hash.h"

#include <openssl/evp.h>

#include "base/free_with.h"

namespace cmpost {

struct RunningSha256::State {
  std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context{EVP_MD_CTX_new()};
};

RunningSha256::RunningSha256() : state_(std::make_unique<State>()) {
  CHECK(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
RunningSha256::~RunningSha256() = default;
RunningSha256::RunningSha256(RunningSha256&&) noexcept = default;

void RunningSha256::add(ByteView part) {
  CHECK(EVP_DigestUpdate(state_->context.get(), part.data(), part.size()) == 1);
}

Sha256 RunningSha256::finish() {
  Sha256 digest{};
  CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace cmpost
