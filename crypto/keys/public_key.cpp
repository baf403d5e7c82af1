#include "crypto/keys/public_key.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/mutex.h"
#include "crypto/keys/native_key.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxSpki = 1U << 16;

struct Curve {
  const Oid* oid;
  KeyType type;
  const char* name;  // both ours and OpenSSL's
  unsigned bits;
};
constexpr std::array<Curve, 3> kCurves = {{{&oid::secp256r1, KeyType::ec_p256, "P-256", 256},
                                           {&oid::secp384r1, KeyType::ec_p384, "P-384", 384},
                                           {&oid::secp521r1, KeyType::ec_p521, "P-521", 521}}};

struct Edwards {
  const Oid* oid;
  KeyType type;
  int id;  // EVP_PKEY_*
  const char* name;
  unsigned bits;
};
constexpr std::array<Edwards, 4> kEdwards = {
    {{&oid::id_Ed25519, KeyType::ed25519, EVP_PKEY_ED25519, "ed25519", 255},
     {&oid::id_Ed448, KeyType::ed448, EVP_PKEY_ED448, "ed448", 448},
     {&oid::id_X25519, KeyType::x25519, EVP_PKEY_X25519, "x25519", 255},
     {&oid::id_X448, KeyType::x448, EVP_PKEY_X448, "x448", 448}}};

EVP_PKEY* make_template(const Curve& curve) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  std::string name(curve.name);
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* pkey = nullptr;
  CHECK(EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEY_PARAMETERS, parameters) == 1);
  return pkey;
}

// A key without a point for each curve. Putting a point into a copy costs a few microseconds where
// the general decoder takes more than a hundred.
EVP_PKEY* template_key(std::size_t curve) {
  static const std::array<EVP_PKEY*, 3> kTemplates = {
      make_template(kCurves[0]), make_template(kCurves[1]), make_template(kCurves[2])};
  return kTemplates[curve];
}

// Points that are not needed any more; see PublicKey::Native.
class IdlePoints {
 public:
  struct Idle {
    std::vector<EvpPkeyCtxPtr> contexts;  // each holds a reference of its own to the key
    EvpPkeyPtr pkey;
  };

  std::optional<Idle> take() {
    const MutexLock lock(mutex_);
    if (idle_.empty()) return std::nullopt;
    auto one = std::move(idle_.back());
    idle_.pop_back();
    return one;
  }

  void put(Idle&& one) {
    const MutexLock lock(mutex_);
    if (idle_.size() < kMost) idle_.push_back(std::move(one));
  }

 private:
  static constexpr std::size_t kMost = 100;
  Mutex mutex_;
  std::vector<Idle> idle_ GUARDED_BY(mutex_);
};

// Lives as long as the process: keys may be released while it ends.
IdlePoints& idle_points(std::size_t curve) {
  static auto& points = *new std::array<IdlePoints, kCurves.size()>;
  return points[curve];
}

struct Decoded {
  std::vector<EvpPkeyCtxPtr> contexts;
  EvpPkeyPtr pkey;
  KeyType type = KeyType::other;
  unsigned bits = 0;
};

const Curve* curve_of(const AlgorithmIdentifier& algorithm) {
  der::Reader reader(*algorithm.parameters);
  const auto named = reader.object_identifier();
  for (const auto& curve : kCurves) {
    if (named && *curve.oid == *named) return &curve;
  }
  return nullptr;
}

Result<Decoded> decode_point(const Curve& curve, const Bytes& point) {
  const std::size_t coordinate = (curve.bits + 7) / 8;
  // RFC 5480 2.2: the uncompressed form must be supported, the compressed one may be and is not
  // here. The point at infinity is one octet.
  if (point.size() != 1 + 2 * coordinate || point[0] != 0x04) {
    return hold(std::string("public key: not an uncompressed point of ") + curve.name);
  }
  const auto index = static_cast<std::size_t>(&curve - kCurves.data());
  auto idle = idle_points(index).take();
  if (!idle) idle = IdlePoints::Idle{{}, EvpPkeyPtr(EVP_PKEY_dup(template_key(index)))};
  auto* const pkey = idle->pkey.get();
  if (pkey == nullptr || EVP_PKEY_set1_encoded_public_key(pkey, point.data(), point.size()) != 1) {
    return openssl_failure("public key");
  }
  return Decoded{std::move(idle->contexts), std::move(idle->pkey), curve.type, curve.bits};
}

Result<Decoded> decode_with_openssl(const SubjectPublicKeyInfo& spki) {
  const std::uint8_t* at = spki.der.data();
  EvpPkeyPtr pkey(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(spki.der.size()), nullptr, nullptr));
  if (!pkey || at != spki.der.data() + spki.der.size()) return openssl_failure("public key");
  const int bits = EVP_PKEY_get_bits(pkey.get());
  if (bits <= 0 || bits > 16384) return hold("public key: of unusual size");
  return Decoded{{}, std::move(pkey), KeyType::other, static_cast<unsigned>(bits)};
}

Result<Decoded> decode_ec(const SubjectPublicKeyInfo& spki) {
  // RFC 5480 2.1.1 forbids implicitCurve and specifiedCurve; a curve of the sender's own choice
  // could be anything.
  if (!spki.algorithm.parameters || spki.algorithm.parameters->front() != der::kOid) {
    return hold("public key: the curve is not a named one");
  }
  if (const auto* curve = curve_of(spki.algorithm)) return decode_point(*curve, spki.key);
  if (spki.key.empty() || spki.key[0] != 0x04) {
    return hold("public key: not an uncompressed point");
  }
  return decode_with_openssl(spki);
}

struct RsaPublicNumbers {
  BignumPtr modulus, exponent;
};

der::Parsed<RsaPublicNumbers> read_rsa(const Bytes& key) {
  der::Reader reader(key);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  RsaPublicNumbers numbers;
  for (auto* number : {&numbers.modulus, &numbers.exponent}) {
    ASSIGN_OR_RETURN(const Bytes content, inside.big_integer());
    if ((content[0] & 0x80) != 0) return inside.fault("a number of the RSA key is negative");
    number->reset(BN_bin2bn(content.data(), static_cast<int>(content.size()), nullptr));
    if (!*number) return inside.fault("out of memory");
  }
  TRY(inside.finish());
  return numbers;
}

// Empty when the numbers are usable.
std::string wrong_with(const RsaPublicNumbers& rsa) {
  const int bits = BN_num_bits(rsa.modulus.get());
  if (bits < 512 || bits > 16384) return "the RSA modulus has " + std::to_string(bits) + " bits";
  if (BN_is_odd(rsa.modulus.get()) != 1) return "the RSA modulus is even";
  if (BN_is_odd(rsa.exponent.get()) != 1 || BN_is_one(rsa.exponent.get()) == 1) {
    return "the RSA exponent is even or one";
  }
  // As OpenSSL: a large exponent with a large modulus is a way to keep us busy.
  const int exponent_bits = BN_num_bits(rsa.exponent.get());
  if (exponent_bits > 64 && (bits > 3072 || exponent_bits >= bits)) {
    return "the RSA exponent is too large";
  }
  return {};
}

Result<EvpPkeyPtr> build_rsa(const RsaPublicNumbers& rsa) {
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, rsa.modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, rsa.exponent.get()) != 1) {
    return openssl_failure("public key");
  }
  const ParamsPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* pkey = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return openssl_failure("public key");
  }
  return EvpPkeyPtr(pkey);
}

Result<Decoded> decode_rsa(const SubjectPublicKeyInfo& spki) {
  // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL"; absent is forgiven.
  if (spki.algorithm.parameters && spki.algorithm.parameters->front() != der::kNull) {
    return hold("public key: parameters of rsaEncryption are not NULL");
  }
  const auto numbers = read_rsa(spki.key);
  if (!numbers) return hold("public key: " + to_string(numbers.error()));
  if (const auto wrong = wrong_with(*numbers); !wrong.empty()) return hold("public key: " + wrong);
  ASSIGN_OR_RETURN(EvpPkeyPtr pkey, build_rsa(*numbers));
  const auto bits = static_cast<unsigned>(BN_num_bits(numbers->modulus.get()));
  return Decoded{{}, std::move(pkey), KeyType::rsa, bits};
}

Result<Decoded> decode_edwards(const Edwards& edwards, const SubjectPublicKeyInfo& spki) {
  // RFC 8410 3: "For all of the OIDs, the parameters MUST be absent".
  if (spki.algorithm.parameters) {
    return hold(std::string("public key: ") + edwards.name + " has no parameters");
  }
  EvpPkeyPtr pkey(
      EVP_PKEY_new_raw_public_key(edwards.id, nullptr, spki.key.data(), spki.key.size()));
  if (!pkey) return openssl_failure("public key");
  return Decoded{{}, std::move(pkey), edwards.type, edwards.bits};
}

Result<Decoded> decode(const SubjectPublicKeyInfo& spki) {
  const Oid& algorithm = spki.algorithm.algorithm;
  if (algorithm == oid::id_ecPublicKey) return decode_ec(spki);
  if (algorithm == oid::rsaEncryption) return decode_rsa(spki);
  for (const auto& edwards : kEdwards) {
    if (*edwards.oid == algorithm) return decode_edwards(edwards, spki);
  }
  ASSIGN_OR_RETURN(Decoded decoded, decode_with_openssl(spki));
  if (algorithm == oid::id_RSASSA_PSS) decoded.type = KeyType::rsa;
  return decoded;
}

std::string group_name(EVP_PKEY* pkey) {
  std::array<char, 80> name{};
  if (EVP_PKEY_get_group_name(pkey, name.data(), name.size(), nullptr) != 1) return "unknown";
  return name.data();
}

}  // namespace

der::Parsed<SubjectPublicKeyInfo> read_spki(der::Reader& reader, der::Tag tag) {
  const der::Reader outer = reader;
  ASSIGN_OR_RETURN(const der::Element whole, reader.expect(tag));
  der::Reader inside = outer.inside(whole);
  SubjectPublicKeyInfo spki;
  ASSIGN_OR_RETURN(spki.algorithm, read_algorithm(inside));
  ASSIGN_OR_RETURN(const der::Reader::BitString key, inside.bit_string());
  if (key.unused_bits != 0) return inside.fault("subjectPublicKey is not whole octets");
  TRY(inside.finish());
  spki.der = to_bytes(whole.whole);
  spki.der[0] = der::kSequence;
  spki.key = to_bytes(key.octets);
  return spki;
}

Result<PublicKey> PublicKey::from_spki(ByteView spki) {
  der::Reader reader(spki);
  auto parts = read_spki(reader);
  if (!parts) return hold("public key: " + to_string(parts.error()));
  if (const auto end = reader.finish(); !end) return hold("public key: " + to_string(end.error()));
  return from_spki(*parts);
}

Result<PublicKey> PublicKey::from_spki(const SubjectPublicKeyInfo& spki) {
  if (spki.der.size() > kMaxSpki) return hold("public key: larger than 64 KiB");
  ASSIGN_OR_RETURN(Decoded decoded, decode(spki));
  auto native = std::make_shared<Native>();
  native->pkey = std::move(decoded.pkey);
  for (auto& context : decoded.contexts) native->ecdsa_verification.put(std::move(context));
  native->type = decoded.type;
  native->bits = decoded.bits;
  native->spki = spki;
  return PublicKey(std::move(native));
}

Result<PublicKey> public_key_of(EVP_PKEY* pkey) {
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey, &der);
  if (size <= 0) return openssl_failure("public key");
  const std::unique_ptr<std::uint8_t, FreeWith<[](void* p) { OPENSSL_free(p); }>> owner(der);
  return PublicKey::from_spki(ByteView(der, static_cast<std::size_t>(size)));
}

PublicKey::Native::~Native() {
  const auto curve = std::find_if(kCurves.begin(), kCurves.end(),
                                  [this](const Curve& c) { return c.type == type; });
  if (curve == kCurves.end()) return;
  const auto index = static_cast<std::size_t>(curve - kCurves.begin());
  idle_points(index).put({ecdsa_verification.take_all(), std::move(pkey)});
}

KeyType PublicKey::type() const { return native_->type; }
unsigned PublicKey::bits() const { return native_->bits; }
ByteView PublicKey::spki() const { return native_->spki.der; }
Bytes PublicKey::key_identifier() const { return hash(Digest::sha1, native_->spki.key); }

std::string PublicKey::description() const {
  for (const auto& curve : kCurves) {
    if (curve.type == type()) return std::string("ec:") + curve.name;
  }
  for (const auto& edwards : kEdwards) {
    if (edwards.type == type()) return edwards.name;
  }
  if (type() == KeyType::rsa) return "rsa:" + std::to_string(bits());
  EVP_PKEY* pkey = native_->pkey.get();
  if (EVP_PKEY_is_a(pkey, "EC") == 1) return "ec:" + group_name(pkey);
  const char* name = EVP_PKEY_get0_type_name(pkey);
  return std::string(name != nullptr ? name : "unknown") + ":" + std::to_string(bits());
}

}  // namespace cmpost
