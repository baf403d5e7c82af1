// The measure of all speed figures: the signatures, verifications and MACs that one enrolment
// cannot do without, and nothing else. Prints enrolments per second:
//
//   crypto_alone signature|mac|ra-signature|ra-mac THREADS SECONDS
//
// signature: protection and proof of possession verified, certificate and answer signed.
// mac:       protection verified and answer protected by MAC, proof of possession verified,
//            certificate signed.
// ra-:       of an RA that re-protects: protection and proof of possession verified, the message
// for
//            the CA signed; its answer verified, and protected for the requester.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/signature.h"
#include "crypto/secrets/password_mac.h"

namespace cmpost {
namespace {

// What is signed in an enrolment with P-256: a request or an answer has about this many octets.
constexpr std::size_t kMessageSize = 900;

struct Material {
  Signer signer;
  Bytes message;
  Bytes signature;
  PBMParameter parameter;
  Bytes secret;
};

Result<Material> make_material() {
  SystemRandom random;
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  ASSIGN_OR_RETURN(Signer signer, Signer::create(key));
  Bytes message = random.bytes(kMessageSize);
  ASSIGN_OR_RETURN(Bytes signature, signer.sign(message));
  return Material{std::move(signer), std::move(message), std::move(signature),
                  make_pbm_parameter(random, 500), random.bytes(16)};
}

void verify_once(const Material& m) {
  const auto verdict = verify(m.signer.public_key(), m.signer.algorithm(), m.message, m.signature);
  CHECK(verdict && *verdict == Verdict::good);
}
void sign_once(const Material& m) { CHECK(m.signer.sign(m.message)); }
void mac_once(const Material& m) { CHECK(password_based_mac(m.parameter, m.secret, m.message)); }

void enrol_signed(const Material& m) {
  verify_once(m);
  verify_once(m);
  sign_once(m);
  sign_once(m);
}
void enrol_mac(const Material& m) {
  mac_once(m);
  mac_once(m);
  verify_once(m);
  sign_once(m);
}

void relay_signed(const Material& m) {
  for (int i = 0; i < 3; ++i) verify_once(m);
  sign_once(m);
  sign_once(m);
}
void relay_mac(const Material& m) {
  mac_once(m);
  mac_once(m);
  verify_once(m);
  verify_once(m);
  sign_once(m);
}

struct Kind {
  std::string_view name;
  void (*once)(const Material&);
};
constexpr std::array kKinds = {Kind{"signature", enrol_signed}, Kind{"mac", enrol_mac},
                               Kind{"ra-signature", relay_signed}, Kind{"ra-mac", relay_mac}};

double enrolments_per_second(void (*enrol)(const Material&), const Material& material, int threads,
                             double seconds) {
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> count = 0;
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        std::uint64_t mine = 0;
        for (; !over.load(std::memory_order_relaxed); ++mine) enrol(material);
        count += mine;
      });
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    over = true;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(count.load()) / elapsed.count();
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto kind =
      std::ranges::find(cmpost::kKinds, words.empty() ? "" : words[0], &cmpost::Kind::name);
  if (words.size() != 3 || kind == cmpost::kKinds.end()) {
    std::fprintf(stderr, "usage: crypto_alone signature|mac|ra-signature|ra-mac THREADS SECONDS\n");
    return 64;
  }
  const auto material = cmpost::make_material();
  CHECK(material);
  std::printf("%.0f\n",
              cmpost::enrolments_per_second(kind->once, *material, std::atoi(words[1].c_str()),
                                            std::atof(words[2].c_str())));
  return 0;
}
