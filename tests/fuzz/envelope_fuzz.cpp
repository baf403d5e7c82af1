// EnvelopedData and AuthEnvelopedData for one of our keys, and the key packages that may be in it.
#include "crypto/envelope/envelope.h"
#include "crypto/envelope/envelope_attributes.h"
#include "crypto/envelope/key_package.h"
#include "tests/fuzz/fuzz.h"

namespace {

// Made once: what matters is what an envelope says, not which key it is for.
const cmpost::PrivateKey& own_key(const char* algorithm) {
  static const auto kEc = cmpost::PrivateKey::generate("ec:P-256").value();
  static const auto kRsa = cmpost::PrivateKey::generate("rsa:2048").value();
  static const auto kX25519 = cmpost::PrivateKey::generate("x25519").value();
  return algorithm[0] == 'e' ? kEc : algorithm[0] == 'r' ? kRsa : kX25519;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cmpost::ByteView input(data, size);
  for (const auto* algorithm : {"ec", "rsa", "x25519"}) {
    (void)cmpost::open_envelope(input, own_key(algorithm));
  }
  if (const auto key = cmpost::read_key_package(input)) CHECK(key->to_pkcs8().has_value());
  (void)cmpost::read_enc_key_with_id(input);
  (void)cmpost::is_authenticated_envelope(input);
  (void)cmpost::verify_detached(input, input);
  const auto owner = cmpost::GeneralName::of(cmpost::Name());
  // One kind an input: it is meant to take as long as a right one, whatever comes.
  const char* const kinds[] = {"ec", "rsa", "x25519"};
  const auto& expected = own_key(kinds[size % 3]).public_key();
  CHECK(cmpost::judge_enc_key_with_id(input, expected, owner).has_value());
  (void)cmpost::local_key_id(input);
  return 0;
}
