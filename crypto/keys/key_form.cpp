#include "crypto/keys/key_form.h"

#include <algorithm>
#include <vector>

namespace cmpost {
namespace {

using Wrong = std::optional<std::string>;

struct RsaKey {
  Bytes modulus, exponent;  // content octets
};

der::Parsed<RsaKey> rsa_numbers_of(ByteView key) {
  der::Reader reader(key);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  RsaKey numbers;
  ASSIGN_OR_RETURN(numbers.modulus, inside.big_integer());
  ASSIGN_OR_RETURN(numbers.exponent, inside.big_integer());
  TRY(inside.finish());
  return numbers;
}

// What fits into the exponents of CryptoAPI, Java and Go's rsa package.
bool is_usual_exponent(const Bytes& exponent) {
  if (exponent.size() > 4 || (exponent[0] & 0x80) != 0) return false;
  std::uint32_t value = 0;
  for (const auto octet : exponent) value = value << 8 | octet;
  return value >= 3 && value % 2 == 1;
}

Wrong wrong_modulus(const Bytes& modulus) {
  if ((modulus[0] & 0x80) != 0) return "the RSA modulus is negative";
  if (modulus.back() % 2 == 0) return "the RSA modulus is even";
  if (const auto prime = small_prime_factor(modulus)) {
    return "the RSA modulus is a multiple of " + std::to_string(*prime) + " (SP 800-89 5.3.3)";
  }
  if (has_close_factors(modulus)) return "the factors of the RSA modulus are close to each other";
  return std::nullopt;
}

Wrong wrong_rsa(const SubjectPublicKeyInfo& spki) {
  const auto& parameters = spki.algorithm.parameters;
  static const Bytes kNull = {der::kNull, 0};
  // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL for this algorithm identifier."
  if (spki.algorithm.algorithm == oid::rsaEncryption && parameters != kNull) {
    return "the parameters of the RSA key are not NULL (RFC 3279 2.3.1)";
  }
  const auto key = rsa_numbers_of(spki.key);
  if (!key) return "the RSA key is malformed: " + key.error().what;
  if (!is_usual_exponent(key->exponent)) {
    return "the RSA exponent is not odd or not between 3 and 2^31-1";
  }
  return wrong_modulus(key->modulus);
}

// The field and what an encoded point is on one of the four curves of RFC 8410.
struct FormOfCurve {
  const Oid* oid;
  std::size_t octets;  // of an encoded key
  unsigned field_bits;
  std::vector<Bytes> small;  // coordinates of the points of small order, little-endian
};

Bytes octets_of(std::string_view hex) { return from_hex(hex).value(); }
Bytes filled(std::uint8_t first, std::uint8_t middle, std::uint8_t last, std::size_t size) {
  Bytes value(size, middle);
  value.front() = first;
  value.back() = last;
  return value;
}

// 2^448 - 2^224 - 1, plus `more`, which is -1, 0 or 1.
Bytes around_p448(int more) {
  Bytes value(56, 0xff);
  value[28] = 0xfe;
  if (more < 0) value[0] = 0xfe;
  if (more > 0) {
    std::fill(value.begin(), value.begin() + 28, 0);
    value[28] = 0xff;
  }
  return value;
}

const std::vector<FormOfCurve>& curves() {
  static const std::vector<FormOfCurve> all = {
      // y of the eight points whose order divides 8, without those that are not reduced.
      {&oid::id_Ed25519,
       32,
       255,
       {Bytes(32), filled(1, 0, 0, 32), filled(0xec, 0xff, 0x7f, 32),
        octets_of("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        octets_of("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")}},
      {&oid::id_Ed448, 57, 448, {Bytes(56), filled(1, 0, 0, 56), around_p448(-1)}},
      // RFC 7748 6.1: those that give zero whatever the secret; not reduced ones are allowed (5).
      {&oid::id_X25519,
       32,
       255,
       {Bytes(32), filled(1, 0, 0, 32), filled(0xec, 0xff, 0x7f, 32), filled(0xed, 0xff, 0x7f, 32),
        filled(0xee, 0xff, 0x7f, 32),
        octets_of("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        octets_of("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")}},
      {&oid::id_X448,
       56,
       448,
       {Bytes(56), filled(1, 0, 0, 56), around_p448(-1), around_p448(0), around_p448(1)}}};
  return all;
}

// RFC 8032 5.1.3: "If the resulting value is >= p, decoding fails".
bool is_reduced(const FormOfCurve& curve, const Bytes& coordinate) {
  const auto prime = curve.field_bits == 448 ? around_p448(0) : filled(0xed, 0xff, 0x7f, 32);
  return std::lexicographical_compare(coordinate.rbegin(), coordinate.rend(), prime.rbegin(),
                                      prime.rend());
}

bool is_on_curve(const FormOfCurve& curve, const Bytes& coordinate) {
  return curve.field_bits == 448 ? is_on_edwards448(coordinate) : is_on_edwards25519(coordinate);
}

Wrong wrong_point(const FormOfCurve& curve, const SubjectPublicKeyInfo& spki) {
  if (spki.algorithm.parameters) return "a key of this kind has no parameters (RFC 8410 3)";
  if (spki.key.size() != curve.octets) {
    return "the key has " + std::to_string(spki.key.size()) + " octets, not " +
           std::to_string(curve.octets);
  }
  Bytes coordinate = spki.key;
  const bool edwards = curve.oid == &oid::id_Ed25519 || curve.oid == &oid::id_Ed448;
  if (curve.octets == 57) {
    if ((coordinate.back() & 0x7f) != 0) return "the key is no reduced point (RFC 8032)";
    coordinate.pop_back();
  } else if (curve.field_bits == 255) {
    coordinate.back() &= 0x7f;  // the sign of x; RFC 7748 5: "MUST mask the most significant bit"
  }
  if (std::ranges::find(curve.small, coordinate) != curve.small.end()) {
    return "the key is a point of small order";
  }
  if (edwards && !is_reduced(curve, coordinate)) return "the key is no reduced point (RFC 8032)";
  // A tenth of a verification; where an RA vouches for the possession nobody else has looked.
  if (edwards && !is_on_curve(curve, coordinate)) return "the key is no point of its curve";
  return std::nullopt;
}

}  // namespace

Wrong wrong_form(const SubjectPublicKeyInfo& spki) {
  const Oid& algorithm = spki.algorithm.algorithm;
  if (algorithm == oid::rsaEncryption || algorithm == oid::id_RSASSA_PSS) return wrong_rsa(spki);
  for (const auto& curve : curves()) {
    if (*curve.oid == algorithm) return wrong_point(curve, spki);
  }
  return std::nullopt;
}

}  // namespace cmpost
