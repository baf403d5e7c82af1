// What an input directory makes of the octets of a file.
#include "fuzz.h"
#include "watcher/unwrap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)cmpost::unwrap(cmpost::Bytes(data, data + size));
  return 0;
}
