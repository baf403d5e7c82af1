// What an input directory makes of the octets of a file.
#include "base/result.h"
#include "fuzz.h"
#include "watcher/unwrap.h"

using cmpost::Unwrapped;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto unwrapped = cmpost::unwrap(cmpost::Bytes(data, data + size));
  if (unwrapped.what != Unwrapped::What::message) {
    CHECK(unwrapped.message.empty());
    CHECK(!unwrapped.reason.empty());
    return 0;
  }
  // What came out of a wrapping is one element, and stays what it is when it comes without one.
  CHECK(unwrapped.message.size() <= size);
  const auto again = cmpost::unwrap(unwrapped.message);
  CHECK(again.what == Unwrapped::What::message);
  CHECK(again.message == unwrapped.message);
  return 0;
}
