// What single steps of `crypto` cost. Run it beside `openssl speed ecdsap256`: the difference is
// what we add. The measure of an enrolment as a whole is crypto_alone.
//
//   crypto_bench --benchmark_filter=verify
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "crypto/keys/signature.h"
#include "crypto/secrets/password_mac.h"
#include "crypto/secrets/seal.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/trust.h"

namespace cmpost {
namespace {

using benchmark::State;

constexpr std::size_t kMessageSize = 900;

struct Material {
  Signer signer;
  Bytes message, signature;
};

Material make_material(const char* algorithm) {
  SystemRandom random;
  const auto key = PrivateKey::generate(algorithm).value();
  auto signer = Signer::create(key).value();
  auto message = random.bytes(kMessageSize);
  auto signature = signer.sign(message).value();
  return {std::move(signer), std::move(message), std::move(signature)};
}

const Material& material(const char* algorithm) {
  static const Material kP256 = make_material("ec:P-256");
  static const Material kP384 = make_material("ec:P-384");
  static const Material kRsa = make_material("rsa:3072");
  static const Material kEd25519 = make_material("ed25519");
  const std::string_view name(algorithm);
  if (name == "ec:P-384") return kP384;
  if (name == "rsa:3072") return kRsa;
  return name == "ed25519" ? kEd25519 : kP256;
}

void bm_sign(State& state, const char* algorithm) {
  const auto& m = material(algorithm);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(m.signer.sign(m.message));
  state.SetItemsProcessed(state.iterations());
}

void bm_verify(State& state, const char* algorithm) {
  const auto& m = material(algorithm);
  for ([[maybe_unused]] auto _ : state) {
    const auto verdict =
        verify(m.signer.public_key(), m.signer.algorithm(), m.message, m.signature);
    CHECK(verdict && *verdict == Verdict::good);
  }
  state.SetItemsProcessed(state.iterations());
}

// The same by a key that was never used before.
void bm_decode_and_verify(State& state, const char* algorithm) {
  const auto& m = material(algorithm);
  for ([[maybe_unused]] auto _ : state) {
    const auto key = PublicKey::from_spki(m.signer.public_key().spki());
    const auto verdict = verify(*key, m.signer.algorithm(), m.message, m.signature);
    CHECK(verdict && *verdict == Verdict::good);
  }
  state.SetItemsProcessed(state.iterations());
}

void bm_decode_key(State& state, const char* algorithm) {
  const auto spki = to_bytes(material(algorithm).signer.public_key().spki());
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(PublicKey::from_spki(spki));
}

TBSCertificate certificate_of(const PublicKey& key, std::uint32_t number, bool ca) {
  TBSCertificate tbs;
  for (int shift = 32; shift > 0; shift -= 8) {
    tbs.serialNumber.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
  }
  tbs.issuer = Name::from_text("CN=ca,O=Grid").value();
  tbs.notBefore = *from_iso8601("2026-01-01T00:00:00Z");
  tbs.notAfter = *from_iso8601("2036-01-01T00:00:00Z");
  tbs.subject = ca ? tbs.issuer : Name::from_text("CN=device,O=Grid").value();
  tbs.subjectPublicKeyInfo = to_bytes(key.spki());
  tbs.extensions = {subject_key_identifier_extension(key.key_identifier()),
                    authority_key_identifier_extension(key.key_identifier())};
  if (ca) {
    tbs.extensions.push_back(basic_constraints_extension(true, {}));
    tbs.extensions.push_back(key_usage_extension({KeyUsageBit::keyCertSign}));
  } else {
    tbs.extensions.push_back(key_usage_extension({KeyUsageBit::digitalSignature}));
    tbs.extensions.push_back(extended_key_usage_extension({oid::id_kp_clientAuth}));
  }
  return tbs;
}

void bm_sign_certificate(State& state) {
  const auto& m = material("ec:P-256");
  const auto tbs = certificate_of(m.signer.public_key(), 7, false);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(sign_certificate(tbs, m.signer));
  state.SetItemsProcessed(state.iterations());
}

void bm_parse_certificate(State& state) {
  const auto& m = material("ec:P-256");
  const auto der =
      sign_certificate(certificate_of(m.signer.public_key(), 7, false), m.signer).value();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(Certificate::from_der(der));
}

// Each signer is a new one to the store.
void bm_trust_unknown(State& state) {
  const auto& m = material("ec:P-256");
  const auto issued = [&](std::uint32_t number, bool ca) {
    const auto tbs = certificate_of(m.signer.public_key(), number, ca);
    return Certificate::from_der(sign_certificate(tbs, m.signer).value()).value();
  };
  const TrustStore store({issued(1, true)});
  const Time at = *from_iso8601("2027-01-01T00:00:00Z");
  auto number = static_cast<std::uint32_t>(state.thread_index() + 1) << 24;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    const auto signer = issued(++number, false);
    state.ResumeTiming();
    const auto check = store.check(signer, {}, at);
    CHECK(check && check->verdict == PathVerdict::trusted);
  }
}

void bm_trust_known(State& state) {
  const auto& m = material("ec:P-256");
  const auto issued = [&](std::uint32_t number, bool ca) {
    const auto tbs = certificate_of(m.signer.public_key(), number, ca);
    return Certificate::from_der(sign_certificate(tbs, m.signer).value()).value();
  };
  const TrustStore store({issued(1, true)});
  const auto signer = issued(2, false);
  const Time at = *from_iso8601("2027-01-01T00:00:00Z");
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(store.check(signer, {}, at));
}

void bm_password_based_mac(State& state) {
  SystemRandom random;
  const auto parameter = make_pbm_parameter(random, state.range(0));
  const Bytes secret = random.bytes(16), data = random.bytes(kMessageSize);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(password_based_mac(parameter, secret, data));
  }
}

void bm_sha256(State& state) {
  const Bytes data(static_cast<std::size_t>(state.range(0)), 1);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(sha256(data));
}

// What one enrolment with signature protection cannot do without.
void bm_enrolment(State& state) {
  const auto& m = material("ec:P-256");
  for ([[maybe_unused]] auto _ : state) {
    for (int i = 0; i < 2; ++i) {
      CHECK(verify(m.signer.public_key(), m.signer.algorithm(), m.message, m.signature));
      CHECK(m.signer.sign(m.message));
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void bm_unlock_private_key(State& state) {
  const auto pem = PrivateKey::generate("ec:P-256").value().to_pem("password").value();
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(PrivateKey::from_pem(pem, "password"));
  }
}

BENCHMARK_CAPTURE(bm_sign, p256, "ec:P-256")->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(bm_verify, p256, "ec:P-256")->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(bm_decode_and_verify, p256, "ec:P-256")->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(bm_sign, p384, "ec:P-384");
BENCHMARK_CAPTURE(bm_verify, p384, "ec:P-384");
BENCHMARK_CAPTURE(bm_sign, rsa3072, "rsa:3072");
BENCHMARK_CAPTURE(bm_verify, rsa3072, "rsa:3072");
BENCHMARK_CAPTURE(bm_sign, ed25519, "ed25519");
BENCHMARK_CAPTURE(bm_verify, ed25519, "ed25519");
BENCHMARK_CAPTURE(bm_decode_key, p256, "ec:P-256")->ThreadRange(1, 2)->UseRealTime();
BENCHMARK_CAPTURE(bm_decode_key, rsa3072, "rsa:3072");
BENCHMARK_CAPTURE(bm_decode_key, ed25519, "ed25519");
BENCHMARK(bm_enrolment)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(bm_sign_certificate)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(bm_parse_certificate)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(bm_trust_unknown);
BENCHMARK(bm_trust_known)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(bm_password_based_mac)->Arg(500)->Arg(10000);
BENCHMARK(bm_sha256)->Arg(32)->Arg(900);
BENCHMARK(bm_unlock_private_key);

}  // namespace
}  // namespace cmpost

BENCHMARK_MAIN();
