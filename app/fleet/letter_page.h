// Letters to devices: what a site needs to type, as pages to be printed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "processor/devices/device.h"

namespace cmpost {

struct Letter {
  Device device;
  std::string secret;
  std::optional<Time> expires;
  std::int64_t uses = 1;
};

struct Sender {
  std::string instance;
  std::string fingerprint;  // SHA-256 of the CA's certificate in hex; empty: not said
  Time printed{};
};

// One file of HTML that fetches nothing: a page for each letter, on A4 and on Letter.
std::string letter_page(const std::vector<Letter>& letters, const Sender& sender);

}  // namespace cmpost
