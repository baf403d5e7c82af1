// A configuration file of hostile octets.
#include "base/bytes.h"
#include "config/settings.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)cmpost::parse_settings(cmpost::text_of({data, size}), "/nowhere/cmpost.toml");
  return 0;
}
