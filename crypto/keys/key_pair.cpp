#include "crypto/keys/key_pair.h"

#include <openssl/rand.h>

#include <array>

#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

using BnCtxPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

BignumPtr number(EVP_PKEY* pkey, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &value) != 1) return nullptr;
  return BignumPtr(value);
}

struct RsaNumbers {
  BignumPtr n, e, d, p, q, dp, dq, qinv;
  bool complete() const { return n && e && d && p && q && dp && dq && qinv; }
};

RsaNumbers rsa_numbers(EVP_PKEY* pkey) {
  return {
      number(pkey, OSSL_PKEY_PARAM_RSA_N),         number(pkey, OSSL_PKEY_PARAM_RSA_E),
      number(pkey, OSSL_PKEY_PARAM_RSA_D),         number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1),
      number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2),   number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1),
      number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2), number(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1)};
}

// RFC 8017 3.2, about one of the primes: e * d and e * exponent are 1, and the exponent is d,
// modulo prime - 1.
bool fits_prime(const RsaNumbers& rsa, const BIGNUM* prime, const BIGNUM* exponent, BN_CTX* ctx) {
  const BignumPtr below(BN_dup(prime)), rest(BN_new()), product(BN_new());
  if (!below || !rest || !product || BN_sub_word(below.get(), 1) != 1 || BN_is_zero(below.get())) {
    return false;
  }
  const bool computed = BN_mod(rest.get(), rsa.d.get(), below.get(), ctx) == 1 &&
                        BN_mod_mul(product.get(), rsa.d.get(), rsa.e.get(), below.get(), ctx) == 1;
  const int differs = BN_cmp(rest.get(), exponent);
  const int is_one = BN_is_one(product.get());
  return computed && differs == 0 && is_one == 1;
}

// n = p * q, and q * qInv is 1 modulo p.
bool fits_modulus(const RsaNumbers& rsa, BN_CTX* ctx) {
  const BignumPtr product(BN_new()), one(BN_new());
  if (!product || !one || BN_num_bits(rsa.p.get()) < 2 || BN_num_bits(rsa.q.get()) < 2) {
    return false;
  }
  const bool computed = BN_mul(product.get(), rsa.p.get(), rsa.q.get(), ctx) == 1 &&
                        BN_mod_mul(one.get(), rsa.q.get(), rsa.qinv.get(), rsa.p.get(), ctx) == 1;
  const int differs = BN_cmp(product.get(), rsa.n.get());
  const int is_one = BN_is_one(one.get());
  return computed && differs == 0 && is_one == 1;
}

bool is_consistent_rsa(EVP_PKEY* pkey) {
  const auto rsa = rsa_numbers(pkey);
  const BnCtxPtr ctx(BN_CTX_secure_new());
  if (!rsa.complete() || !ctx) return false;
  // All of it, whatever the first one says.
  const std::array fits = {fits_modulus(rsa, ctx.get()),
                           fits_prime(rsa, rsa.p.get(), rsa.dp.get(), ctx.get()),
                           fits_prime(rsa, rsa.q.get(), rsa.dq.get(), ctx.get())};
  return fits[0] && fits[1] && fits[2];
}

// Of exactly so many bits, and odd.
Bytes random_number(std::size_t bits) {
  Bytes number((bits + 7) / 8);
  CHECK(RAND_bytes(number.data(), static_cast<int>(number.size())) == 1);
  const auto top = (bits - 1) % 8;
  number.front() = static_cast<std::uint8_t>((number.front() & ((2U << top) - 1)) | (1U << top));
  number.back() |= 1U;
  return number;
}

Bytes made_up_rsa(std::size_t bits) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(0);
    writer.unsigned_integer(random_number(bits));
    writer.integer(65537);
    writer.unsigned_integer(random_number(bits));
    for (int i = 0; i < 5; ++i) writer.unsigned_integer(random_number(bits / 2));
  });
  return std::move(writer).take();
}

// One less in the first octet than any order.
Bytes made_up_scalar(std::size_t bits) {
  Bytes scalar((bits + 7) / 8);
  const auto random = random_number(bits - 1);
  std::copy(random.begin(), random.end(),
            scalar.end() - static_cast<std::ptrdiff_t>(random.size()));
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.integer(1);
    writer.octet_string(scalar);
  });
  return std::move(writer).take();
}

Bytes made_up_octets(std::size_t size) {
  der::Writer writer;
  writer.octet_string(random_number(size * 8));
  return std::move(writer).take();
}

}  // namespace

bool is_consistent(const PrivateKey& key) {
  return key.type() != KeyType::rsa || is_consistent_rsa(key.native().pkey.get());
}

Bytes made_up_private_key(const PublicKey& like) {
  switch (like.type()) {
    case KeyType::rsa:
      return made_up_rsa(like.bits());
    case KeyType::x25519:
    case KeyType::ed25519:
      return made_up_octets(32);
    case KeyType::x448:
      return made_up_octets(56);
    case KeyType::ed448:
      return made_up_octets(57);
    default:
      break;
  }
  const bool elliptic = spki_algorithm(like).algorithm == oid::id_ecPublicKey;
  return elliptic && like.bits() > 8 ? made_up_scalar(like.bits()) : Bytes();
}

}  // namespace cmpost
