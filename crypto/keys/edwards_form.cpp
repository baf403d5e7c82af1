// Whether a coordinate is that of a point: the square root of RFC 8032 5.1.3 and 5.2.3 exists,
// which Euler's criterion says without computing it.
#include "crypto/keys/key_form.h"
#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

using CurveContextPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

BN_CTX* curve_context() {
  thread_local const CurveContextPtr context(BN_CTX_new());
  CHECK(context != nullptr);
  return context.get();
}

BignumPtr power_of_two(int bit) {
  BignumPtr number(BN_new());
  CHECK(number && BN_set_bit(number.get(), bit) == 1);
  return number;
}

BignumPtr p25519() {
  auto prime = power_of_two(255);
  CHECK(BN_sub_word(prime.get(), 19) == 1);
  return prime;
}

BignumPtr p448() {
  auto prime = power_of_two(448);
  CHECK(BN_sub(prime.get(), prime.get(), power_of_two(224).get()) == 1 &&
        BN_sub_word(prime.get(), 1) == 1);
  return prime;
}

// a * y^2 + b, for both below as they stand in the equation of a curve.
BignumPtr linear(const BIGNUM* square, unsigned a, bool negative, unsigned b) {
  BignumPtr value(BN_dup(square));
  const auto constant = power_of_two(0);
  CHECK(value && BN_mul_word(value.get(), a) == 1 && BN_set_word(constant.get(), b) == 1);
  BN_set_negative(value.get(), negative ? 1 : 0);
  CHECK(BN_add(value.get(), value.get(), constant.get()) == 1);
  return value;
}

// u / v has a root if u * v has one: they differ by the square of v.
bool has_root(const BIGNUM* u, const BIGNUM* v, const BIGNUM* prime) {
  const BignumPtr product(BN_new());
  CHECK(product && BN_mod_mul(product.get(), u, v, prime, curve_context()) == 1);
  const int symbol = BN_kronecker(product.get(), prime, curve_context());
  CHECK(symbol >= -1);
  return symbol >= 0;
}

BignumPtr squared(ByteView little_endian) {
  const BignumPtr y(
      BN_lebin2bn(little_endian.data(), static_cast<int>(little_endian.size()), nullptr));
  BignumPtr square(BN_new());
  CHECK(y && square && BN_sqr(square.get(), y.get(), curve_context()) == 1);
  return square;
}

}  // namespace

// x^2 = (y^2 - 1) / (d y^2 + 1), d = -121665/121666
bool is_on_edwards25519(ByteView y) {
  static const auto prime = p25519();
  const auto square = squared(y);
  const auto u = linear(square.get(), 121666, false, 0);
  const auto v = linear(square.get(), 121665, true, 121666);
  CHECK(BN_sub_word(u.get(), 121666) == 1);
  return has_root(u.get(), v.get(), prime.get());
}

// x^2 = (y^2 - 1) / (d y^2 - 1) = (1 - y^2) / (39081 y^2 + 1), d = -39081
bool is_on_edwards448(ByteView y) {
  static const auto prime = p448();
  const auto square = squared(y);
  const auto u = linear(square.get(), 1, true, 1);
  const auto v = linear(square.get(), 39081, false, 1);
  return has_root(u.get(), v.get(), prime.get());
}

}  // namespace cmpost
