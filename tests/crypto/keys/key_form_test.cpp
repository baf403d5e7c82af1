#include "crypto/keys/key_form.h"

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "crypto/keys/private_key.h"
#include "tests/crypto/golden.h"
#include "tests/support/matchers.h"

namespace cmpost::key_form {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

SubjectPublicKeyInfo parts_of(ByteView spki) {
  der::Reader reader(spki);
  return read_spki(reader).value();
}

Bytes content_of(const BIGNUM* number) {
  Bytes magnitude(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, magnitude.data());
  return magnitude;
}

SubjectPublicKeyInfo rsa_key(ByteView modulus, ByteView exponent,
                             std::optional<Bytes> parameters = Bytes{5, 0}) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.unsigned_integer(modulus);
    writer.unsigned_integer(exponent);
  });
  return {{}, {oid::rsaEncryption, std::move(parameters)}, std::move(writer).take()};
}

struct Number {
  Number() = default;
  explicit Number(const char* decimal) { BN_dec2bn(&value, decimal); }
  ~Number() { BN_free(value); }
  Number(const Number&) = delete;
  BIGNUM* value = BN_new();
};

Bytes product(const BIGNUM* a, const BIGNUM* b) {
  Number result;
  BN_CTX* context = BN_CTX_new();
  BN_mul(result.value, a, b, context);
  BN_CTX_free(context);
  return content_of(result.value);
}

void make_prime(BIGNUM* prime, int bits) {
  ASSERT_EQ(BN_generate_prime_ex(prime, bits, 0, nullptr, nullptr, nullptr), 1);
}

const Bytes kF4 = {1, 0, 1};

TEST(KeyForm, KeysThatOpenSslMakesAreGood) {
  for (const char* algorithm : {"rsa:2048", "rsa:3072", "ec:P-256", "ed25519", "ed448"}) {
    for (int i = 0; i < (algorithm[0] == 'r' ? 1 : 20); ++i) {
      const auto key = PrivateKey::generate(algorithm).value();
      EXPECT_EQ(wrong_form(parts_of(key.public_key().spki())), std::nullopt) << algorithm;
    }
  }
  for (const char* name : {"rsa2048", "pss-key", "ed25519", "ed448", "ec-p521"}) {
    EXPECT_EQ(wrong_form(parts_of(golden_certificate(name).spki())), std::nullopt) << name;
  }
}

TEST(KeyForm, SmallPrimesAreThoseThatDivisionFinds) {
  Number prime;
  make_prime(prime.value, 1024);
  for (unsigned factor = 3; factor < 760; factor += 2) {
    Number small;
    BN_set_word(small.value, factor);
    const auto found = small_prime_factor(product(prime.value, small.value));
    std::optional<unsigned> expected;
    for (unsigned divisor = 3; divisor < 752 && !expected; divisor += 2) {
      if (factor % divisor == 0) expected = divisor;
    }
    EXPECT_EQ(found, expected) << factor;
  }
}

TEST(KeyForm, CloseFactorsAreFound) {
  Number p, next, other;
  make_prime(p.value, 512);
  BN_copy(next.value, p.value);
  do {
    BN_add_word(next.value, 2);
  } while (BN_check_prime(next.value, nullptr, nullptr) != 1);
  make_prime(other.value, 512);
  EXPECT_TRUE(has_close_factors(product(p.value, p.value)));
  EXPECT_TRUE(has_close_factors(product(p.value, next.value)));
  BN_set_bit(next.value, 200);
  EXPECT_TRUE(has_close_factors(product(p.value, next.value))) << "odd, if not prime";
  EXPECT_FALSE(has_close_factors(product(p.value, other.value)));
}

TEST(KeyForm, WeakOrUnreadableRsaKeysAreFound) {
  Number p, q;
  make_prime(p.value, 1024);
  make_prime(q.value, 1024);
  const auto modulus = product(p.value, q.value);
  EXPECT_EQ(wrong_form(rsa_key(modulus, kF4)), std::nullopt);
  EXPECT_EQ(wrong_form(rsa_key(modulus, Bytes{3})), std::nullopt);
  EXPECT_THAT(wrong_form(rsa_key(modulus, kF4, std::nullopt)), Optional(HasSubstr("NULL")));
  EXPECT_THAT(wrong_form(rsa_key(modulus, kF4, Bytes{4, 0})), Optional(HasSubstr("NULL")));
  EXPECT_THAT(wrong_form(rsa_key(modulus, kF4, Bytes{5, 1, 0})), Optional(HasSubstr("NULL")));
  for (const Bytes& exponent :
       {Bytes{0}, Bytes{1}, Bytes{2}, Bytes{1, 0, 0}, Bytes{0x80, 0, 0, 1}, Bytes{1, 0, 0, 0, 1}}) {
    EXPECT_THAT(wrong_form(rsa_key(modulus, exponent)), Optional(HasSubstr("exponent")))
        << to_hex(exponent);
  }
  Number three;
  BN_set_word(three.value, 3);
  EXPECT_THAT(wrong_form(rsa_key(product(p.value, three.value), kF4)),
              Optional(HasSubstr("multiple of 3")));
  EXPECT_THAT(wrong_form(rsa_key(product(p.value, p.value), kF4)), Optional(HasSubstr("close")));
  auto even = modulus;
  even.back() &= 0xfe;
  EXPECT_THAT(wrong_form(rsa_key(even, kF4)), Optional(HasSubstr("even")));
  // INTEGERs that are not minimal, negative, missing, followed by something.
  for (const auto* numbers : {"3008020200a102030100 01", "30080202ff7f0202ff01", "300302010f",
                              "300902010f020103020101", "3006020203010203", "300602010f020103ff"}) {
    std::string text(numbers);
    std::erase(text, ' ');
    const SubjectPublicKeyInfo key{{}, {oid::rsaEncryption, Bytes{5, 0}}, from_hex(text).value()};
    EXPECT_TRUE(wrong_form(key)) << numbers;
  }
}

SubjectPublicKeyInfo curve_key(const Oid& oid, Bytes key) {
  return {{}, {oid, std::nullopt}, std::move(key)};
}

// Whether OpenSSL agrees on a secret with this point; it refuses those that give zero.
bool openssl_agrees(int id, const Bytes& point) {
  EVP_PKEY* peer = EVP_PKEY_new_raw_public_key(id, nullptr, point.data(), point.size());
  EVP_PKEY* own = nullptr;
  EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_id(id, nullptr);
  EXPECT_EQ(EVP_PKEY_keygen_init(maker), 1);
  EXPECT_EQ(EVP_PKEY_keygen(maker, &own), 1);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(own, nullptr);
  Bytes secret(64);
  std::size_t size = secret.size();
  const bool agreed = EVP_PKEY_derive_init(context) == 1 &&
                      EVP_PKEY_derive_set_peer(context, peer) == 1 &&
                      EVP_PKEY_derive(context, secret.data(), &size) == 1;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_CTX_free(maker);
  EVP_PKEY_free(own);
  EVP_PKEY_free(peer);
  return agreed;
}

TEST(KeyForm, MontgomeryPointsOfSmallOrderAreThoseThatOpenSslRefuses) {
  const std::tuple<const Oid*, int, std::size_t> kCurves[] = {
      {&oid::id_X25519, EVP_PKEY_X25519, 32}, {&oid::id_X448, EVP_PKEY_X448, 56}};
  for (const auto& [oid, id, size] : kCurves) {
    std::vector<Bytes> points;
    for (std::uint8_t low = 0; low < 12; ++low) {
      Bytes small(size), large(size, 0xff);
      small[0] = low;
      large[0] = static_cast<std::uint8_t>(0xe8 + low);
      large.back() = size == 32 ? 0x7f : 0xff;
      points.push_back(small);
      points.push_back(large);
    }
    for (const auto* hex : {"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"}) {
      if (size == 32) points.push_back(from_hex(hex).value());
    }
    if (size == 56) {
      for (const std::uint8_t low : {0xfd, 0xfe, 0xff}) {
        Bytes near(56, 0xff);
        near[0] = low;
        near[28] = 0xfe;
        points.push_back(near);
      }
      Bytes above(56, 0xff);
      std::fill(above.begin(), above.begin() + 28, 0);
      points.push_back(above);
    }
    for (auto point : points) {
      for (int sign = 0; sign < (size == 32 ? 2 : 1); ++sign) {
        EXPECT_EQ(!wrong_form(curve_key(*oid, point)), openssl_agrees(id, point)) << to_hex(point);
        point.back() ^= 0x80;
      }
    }
  }
}

TEST(KeyForm, EdwardsPointsAreReducedAndOfLargeOrder) {
  for (const auto* bad : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0000000000000000000000000000000000000000000000000000000000000080",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000080",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"}) {
    EXPECT_TRUE(wrong_form(curve_key(oid::id_Ed25519, from_hex(bad).value()))) << bad;
  }
  // RFC 8032 7.1 and 7.4.
  EXPECT_FALSE(wrong_form(curve_key(
      oid::id_Ed25519,
      from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").value())));
  EXPECT_FALSE(wrong_form(
      curve_key(oid::id_Ed448,
                from_hex("5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769"
                         "b46c7061bd6783df1e50f6cd1fa1abeafe8256180")
                    .value())));
  for (const auto* first : {"00", "01"}) {
    const auto text = std::string(first) + std::string(110, '0');
    EXPECT_TRUE(wrong_form(curve_key(oid::id_Ed448, from_hex(text + "00").value())));
    EXPECT_TRUE(wrong_form(curve_key(oid::id_Ed448, from_hex(text + "80").value())));
    EXPECT_TRUE(wrong_form(curve_key(oid::id_Ed448, from_hex(text + "01").value())));
  }
  EXPECT_TRUE(wrong_form(curve_key(oid::id_Ed25519, Bytes(31, 7))));
  EXPECT_TRUE(wrong_form(curve_key(oid::id_X25519, Bytes(33, 9))));
  auto with_parameters = curve_key(oid::id_X25519, Bytes(32, 9));
  with_parameters.algorithm.parameters = Bytes{5, 0};
  EXPECT_TRUE(wrong_form(with_parameters));
}

// The small coordinates of which there is no point, and those beside them.
TEST(KeyForm, EdwardsPointsAreOnTheirCurve) {
  const auto key = [](const Oid& oid, const std::string& low, std::size_t octets,
                      const char* sign) {
    return curve_key(oid, from_hex(low + std::string(2 * octets - 4, '0') + sign).value());
  };
  for (const char* sign : {"00", "80"}) {
    for (const char* low : {"02", "07", "08"})
      EXPECT_TRUE(wrong_form(key(oid::id_Ed25519, low, 32, sign))) << low;
    for (const char* low : {"03", "04", "05", "06", "09"})
      EXPECT_FALSE(wrong_form(key(oid::id_Ed25519, low, 32, sign))) << low;
    for (const char* low : {"02", "06", "0a", "0b"})
      EXPECT_TRUE(wrong_form(key(oid::id_Ed448, low, 57, sign))) << low;
    for (const char* low : {"03", "04", "05", "07", "08", "09"})
      EXPECT_FALSE(wrong_form(key(oid::id_Ed448, low, 57, sign))) << low;
  }
}

}  // namespace
}  // namespace cmpost::key_form
