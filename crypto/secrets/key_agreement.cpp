#include "crypto/secrets/key_agreement.h"

#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

bool same_kind(const PublicKey& a, const PublicKey& b) {
  if (a.type() != b.type()) return false;
  return EVP_PKEY_parameters_eq(a.native().pkey.get(), b.native().pkey.get()) == 1 ||
         a.type() == KeyType::x25519 || a.type() == KeyType::x448;
}

}  // namespace

bool can_agree(const PublicKey& key) {
  switch (key.type()) {
    case KeyType::ec_p256:
    case KeyType::ec_p384:
    case KeyType::ec_p521:
    case KeyType::x25519:
    case KeyType::x448:
      return true;
    case KeyType::other: {
      EVP_PKEY* pkey = key.native().pkey.get();
      return EVP_PKEY_is_a(pkey, "EC") == 1 || EVP_PKEY_is_a(pkey, "DH") == 1 ||
             EVP_PKEY_is_a(pkey, "DHX") == 1;
    }
    default:
      return false;
  }
}

Result<Bytes> agree(const PrivateKey& own, const PublicKey& peer) {
  if (!can_agree(own.public_key()) || !same_kind(own.public_key(), peer)) {
    return hold("the keys, " + own.public_key().description() + " and " + peer.description() +
                ", cannot agree");
  }
  const EvpPkeyCtxPtr context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, own.native().pkey.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer.native().pkey.get(), 1) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return openssl_failure("cannot agree on a key");
  }
  Bytes agreed(size);
  if (EVP_PKEY_derive(context.get(), agreed.data(), &size) != 1) {
    return openssl_failure("cannot agree on a key");
  }
  agreed.resize(size);
  return agreed;
}

}  // namespace cmpost
