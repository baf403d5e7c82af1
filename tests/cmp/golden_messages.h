// The files of tests/data/cmp.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

inline std::string vector_folder() { return std::string(CMPOST_TEST_DATA) + "/cmp/openssl-3.0.22"; }

struct GoldenMessage {
  std::string name;  // "pbm-sha256-hmac-sha1.1-ir"
  Bytes der;
};

inline Bytes golden_file(const std::string& name, const std::string& folder = vector_folder()) {
  auto contents = read_file(folder + "/" + name, 1U << 20);
  EXPECT_TRUE(contents.has_value()) << name;
  return contents.value_or(Bytes());
}

// All of them, by name.
inline std::vector<GoldenMessage> golden_messages(const std::string& folder = vector_folder()) {
  std::vector<GoldenMessage> messages;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".der") continue;
    messages.push_back({entry.path().stem(), golden_file(entry.path().filename(), folder)});
  }
  std::sort(messages.begin(), messages.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return messages;
}

inline Certificate golden_signer(const std::string& name) {
  auto certificates = Certificate::from_pem(text_of(golden_file(name + ".pem")));
  EXPECT_TRUE(certificates.has_value()) << name;
  return certificates->front();
}

}  // namespace cmpost
