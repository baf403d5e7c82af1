// The files of tests/data/crypto.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/files.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

inline std::string golden(const std::string& name) {
  auto contents = read_file(std::string(CMPOST_TEST_DATA) + "/crypto/" + name, 1U << 20);
  EXPECT_TRUE(contents.has_value()) << name;
  return contents ? std::string(text_of(*contents)) : std::string();
}

inline Certificate golden_certificate(const std::string& name) {
  auto certificates = Certificate::from_pem(golden(name + ".pem"));
  if (!certificates) {
    ADD_FAILURE() << name << ": " << certificates.error().what;
    std::abort();
  }
  return certificates->front();
}

inline PrivateKey golden_key(const std::string& name) {
  auto key = PrivateKey::from_pem(golden(name + ".key"));
  if (!key) {
    ADD_FAILURE() << name << ": " << key.error().what;
    std::abort();
  }
  return *std::move(key);
}

inline Bytes hex(std::string_view digits) {
  auto octets = from_hex(digits);
  EXPECT_TRUE(octets.has_value()) << digits;
  return octets.value_or(Bytes());
}

// A time when everything but expired.pem is valid.
inline Time golden_time() { return *from_iso8601("2027-06-01T12:00:00Z"); }

}  // namespace cmpost
