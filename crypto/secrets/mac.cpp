#include "crypto/secrets/mac.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "crypto/keys/openssl.h"

namespace cmpost {
namespace {

using MacKind = MacScheme::Kind;

struct KnownMac {
  const Oid* oid;
  MacKind kind;
  Digest digest;
  std::size_t key_size;  // octets; 0: any
};
constexpr std::array<KnownMac, 15> kMacs = {{
    {&oid::hMAC_SHA1, MacKind::hmac, Digest::sha1, 0},
    {&oid::id_hmacWithSHA1, MacKind::hmac, Digest::sha1, 0},
    {&oid::id_hmacWithSHA224, MacKind::hmac, Digest::sha224, 0},
    {&oid::id_hmacWithSHA256, MacKind::hmac, Digest::sha256, 0},
    {&oid::id_hmacWithSHA384, MacKind::hmac, Digest::sha384, 0},
    {&oid::id_hmacWithSHA512, MacKind::hmac, Digest::sha512, 0},
    {&oid::id_hmacWithSHA3_224, MacKind::hmac, Digest::sha3_224, 0},
    {&oid::id_hmacWithSHA3_256, MacKind::hmac, Digest::sha3_256, 0},
    {&oid::id_hmacWithSHA3_384, MacKind::hmac, Digest::sha3_384, 0},
    {&oid::id_hmacWithSHA3_512, MacKind::hmac, Digest::sha3_512, 0},
    {&oid::id_KMACWithSHAKE128, MacKind::kmac128, Digest::shake128, 0},
    {&oid::id_KMACWithSHAKE256, MacKind::kmac256, Digest::shake256, 0},
    {&oid::id_aes128_GMAC, MacKind::gmac, Digest::sha256, 16},
    {&oid::id_aes192_GMAC, MacKind::gmac, Digest::sha256, 24},
    {&oid::id_aes256_GMAC, MacKind::gmac, Digest::sha256, 32},
}};

constexpr std::size_t kMinKmacOutput = 16, kMaxKmacOutput = 64;
constexpr std::size_t kMaxCustomization = 256;
constexpr std::size_t kMinKmacKey = 4, kMaxKmacKey = 512;  // what OpenSSL's KMAC takes
constexpr std::size_t kMaxNonce = 64;

bool is_plain(const AlgorithmIdentifier& algorithm) {
  return !algorithm.parameters || *algorithm.parameters == Bytes{der::kNull, 0};
}

// KMACwithSHAKE128-params (RFC 8702 3.4): the output length in bits and a customization string.
// Both have defaults, which DER leaves out; a peer that spells them out is understood.
der::Parsed<void> read_kmac(ByteView whole, MacScheme& scheme) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  if (inside.peek() == der::kInteger) {
    ASSIGN_OR_RETURN(const auto bits, inside.integer());
    if (bits % 8 != 0 || bits < static_cast<std::int64_t>(8 * kMinKmacOutput) ||
        bits > static_cast<std::int64_t>(8 * kMaxKmacOutput)) {
      return inside.fault("kMACOutputLength is not within 128 to 512 bits");
    }
    scheme.output_size = static_cast<std::size_t>(bits) / 8;
  }
  if (inside.peek() == der::kOctetString) {
    ASSIGN_OR_RETURN(const ByteView text, inside.octet_string());
    if (text.size() > kMaxCustomization) return inside.fault("customizationString is too long");
    scheme.customization = to_bytes(text);
  }
  return inside.finish();
}

// GMACParameters (RFC 9044 2).
der::Parsed<void> read_gmac(ByteView whole, MacScheme& scheme) {
  der::Reader reader(whole);
  ASSIGN_OR_RETURN(der::Reader inside, reader.enter(der::kSequence));
  TRY(reader.finish());
  ASSIGN_OR_RETURN(const ByteView nonce, inside.octet_string());
  if (nonce.empty() || nonce.size() > kMaxNonce) return inside.fault("nonce has an odd length");
  scheme.nonce = to_bytes(nonce);
  scheme.output_size = 12;
  if (!inside.at_end()) {
    ASSIGN_OR_RETURN(const auto length, inside.integer());
    if (length < 12 || length > 16) return inside.fault("length is not within 12 to 16");
    scheme.output_size = static_cast<std::size_t>(length);
  }
  return inside.finish();
}

der::Parsed<void> read_parameters(const AlgorithmIdentifier& algorithm, MacScheme& scheme) {
  switch (scheme.kind) {
    case MacKind::hmac:
      scheme.output_size = output_size(scheme.digest);
      if (is_plain(algorithm)) return {};
      return failure(der::Fault{0, "there are parameters"});
    case MacKind::gmac:
      if (algorithm.parameters) return read_gmac(*algorithm.parameters, scheme);
      return failure(der::Fault{0, "there are no parameters"});
    default:
      // RFC 8702 3.4: DEFAULT 256 and DEFAULT 512.
      scheme.output_size = scheme.kind == MacKind::kmac128 ? 32 : 64;
      if (is_plain(algorithm)) return {};
      return read_kmac(*algorithm.parameters, scheme);
  }
}

EVP_MAC* fetched_mac(MacKind kind) {
  static const std::array<EVP_MAC*, 4> kFetched = {
      EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_fetch(nullptr, "KMAC-128", nullptr),
      EVP_MAC_fetch(nullptr, "KMAC-256", nullptr), EVP_MAC_fetch(nullptr, "GMAC", nullptr)};
  return kFetched[static_cast<std::size_t>(kind)];
}

const char* gcm_of(std::size_t key_size) {
  return key_size == 16 ? "AES-128-GCM" : key_size == 24 ? "AES-192-GCM" : "AES-256-GCM";
}

// What OpenSSL wants to know beside the key. Views into `scheme` and `text`.
struct MacParams {
  std::string text;
  std::size_t size = 0;
  std::array<OSSL_PARAM, 4> list{};
};
void set_params(const MacScheme& scheme, MacParams& params) {
  std::size_t next = 0;
  const auto octets = [](const Bytes& bytes) { return const_cast<std::uint8_t*>(bytes.data()); };
  if (scheme.kind == MacKind::hmac) {
    params.text = EVP_MD_get0_name(fetched(scheme.digest));
    params.list[next++] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                           params.text.data(), params.text.size());
  } else if (scheme.kind == MacKind::gmac) {
    params.text = gcm_of(scheme.key_size);
    params.list[next++] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER,
                                                           params.text.data(), params.text.size());
    params.list[next++] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, octets(scheme.nonce),
                                                            scheme.nonce.size());
  } else {
    params.size = scheme.output_size;
    params.list[next++] = OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &params.size);
    if (!scheme.customization.empty()) {
      params.list[next++] = OSSL_PARAM_construct_octet_string(
          OSSL_MAC_PARAM_CUSTOM, octets(scheme.customization), scheme.customization.size());
    }
  }
  params.list[next] = OSSL_PARAM_construct_end();
}

}  // namespace

Result<MacScheme> mac_scheme(const AlgorithmIdentifier& algorithm, bool allow_hmac_sha1) {
  const auto known = std::ranges::find_if(
      kMacs, [&](const KnownMac& mac) { return *mac.oid == algorithm.algorithm; });
  if (known == kMacs.end()) return hold("mac " + algorithm.algorithm.name() + " is not supported");
  if (known->digest == Digest::sha1 && !allow_hmac_sha1) return hold("HMAC-SHA1 is not allowed");
  MacScheme scheme;
  scheme.kind = known->kind;
  scheme.digest = known->digest;
  scheme.key_size = known->key_size;
  scheme.algorithm = algorithm;
  const auto read = read_parameters(algorithm, scheme);
  if (!read) return hold(algorithm.algorithm.name() + ": " + read.error().what);
  return scheme;
}

bool takes_key_of(const MacScheme& scheme, std::size_t octets) {
  const bool kmac = scheme.kind == MacKind::kmac128 || scheme.kind == MacKind::kmac256;
  if (kmac) return octets >= kMinKmacKey && octets <= kMaxKmacKey;
  return scheme.key_size == 0 || octets == scheme.key_size;
}

Result<Bytes> compute_mac(const MacScheme& scheme, ByteView key, ByteView data) {
  if (!takes_key_of(scheme, key.size())) {
    return hold(scheme.algorithm.algorithm.name() + " takes no key of " +
                std::to_string(key.size()) + " octets");
  }
  const MacCtxPtr context(EVP_MAC_CTX_new(fetched_mac(scheme.kind)));
  if (!context) return openssl_failure("cannot compute a MAC");
  MacParams params;
  set_params(scheme, params);
  Bytes output(std::max<std::size_t>(scheme.output_size, 16));
  std::size_t size = 0;
  // HMAC with an empty key is HMAC with a key of zeros; OpenSSL takes a null pointer for "no key".
  static constexpr std::uint8_t kNothing = 0;
  const auto* start = key.empty() ? &kNothing : key.data();
  if (EVP_MAC_init(context.get(), start, key.size(), params.list.data()) != 1 ||
      EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
      EVP_MAC_final(context.get(), output.data(), &size, output.size()) != 1 ||
      size < scheme.output_size) {
    return openssl_failure("cannot compute a MAC");
  }
  output.resize(scheme.output_size);
  return output;
}

MacScheme with_fresh_nonce(const MacScheme& like, Random& random) {
  if (like.kind != MacKind::gmac) return like;
  MacScheme scheme = like;
  random.fill(scheme.nonce);
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.octet_string(scheme.nonce);
    if (scheme.output_size != 12) writer.integer(static_cast<std::int64_t>(scheme.output_size));
  });
  scheme.algorithm.parameters = std::move(writer).take();
  return scheme;
}

Result<Bytes> hmac_sha256(ByteView key, ByteView data) {
  static const auto kScheme = mac_scheme({oid::id_hmacWithSHA256, {}}).value();
  return compute_mac(kScheme, key, data);
}

bool same_mac(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace cmpost
