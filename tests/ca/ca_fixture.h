// A root, profiles and records for the tests of this folder.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "base/files.h"
#include "ca/issuer.h"
#include "ca/ledger/ledger.h"
#include "ca/profile/profile.h"
#include "crypto/x509/trust.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

using namespace std::chrono_literals;

inline Time seconds_of(Time time) { return std::chrono::floor<std::chrono::seconds>(time); }

inline PrivateKey new_key(std::string_view algorithm = "ec:P-256") {
  return PrivateKey::generate(algorithm).value();
}
// Of some end entity; made once, keys are slow to make.
inline const PrivateKey& device_key() {
  static const PrivateKey key = new_key();
  return key;
}
inline Name name(std::string_view text) { return Name::from_text(text).value(); }

// What `command` prints on both outputs, behind "0: " or another exit status.
inline std::string run(const std::string& command) {
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  return std::to_string(WEXITSTATUS(status)) + ": " + output;
}

inline void write_text(const std::string& path, std::string_view text) {
  ASSERT_THAT(write_file(path, view_of(text), 0600, IfExists::replace), IsOk());
}

// A profile as the configuration makes it when it only has a name.
inline ProfileSettings device_profile() {
  ProfileSettings profile;
  profile.name = "device";
  profile.keys = {{KeyRule::Kind::ec, "P-256", 0, 0},
                  {KeyRule::Kind::rsa, "", 2048, 4096},
                  {KeyRule::Kind::ed25519, "", 0, 0}};
  ExtensionField names{"2.5.29.17", "subjectAltName", {}};
  names.rule.kind = ExtensionRule::Kind::copy;
  profile.extensions.fields = {names};
  return profile;
}

struct TestCa {
  explicit TestCa(std::string_view algorithm = "ec:P-256")
      : key(new_key(algorithm)),
        root(make_root(key, name("CN=Test CA,O=Grid"), seconds_of(clock.now() - 24h),
                       seconds_of(clock.now() + 24h * 3650), random)
                 .value()),
        issuer(Issuer::create(root, key, random, clock).value()) {}

  Certificate issue(std::string_view subject, Extensions extensions = {},
                    const PublicKey& public_key = device_key().public_key()) {
    const auto profile = Profile::create(device_profile()).value();
    const CertificateWish wish{name(subject), public_key, std::move(extensions), {}, {}};
    const auto plan = profile.plan(wish, clock.now(), issuer.latest_not_after());
    EXPECT_TRUE(plan) << plan.error().text;
    return issuer.issue(*plan).value();
  }

  CertificateRecord record(const Certificate& certificate) {
    CertificateRecord record;
    record.serial = to_bytes(certificate.serial_number());
    record.der = to_bytes(certificate.der());
    record.subject = certificate.subject().text();
    record.profile = "device";
    record.channel = "drop";
    record.requester = "mac:device-1";
    record.tid = "00112233445566778899aabbccddeeff";
    record.issued = clock.now();
    record.not_after = certificate.not_after();
    return record;
  }

  FakeClock clock{from_unix_micros(to_unix_micros(seconds_of(SystemClock().now())))};
  FakeRandom random;
  PrivateKey key;
  Certificate root;
  Issuer issuer;
};

}  // namespace cmpost
