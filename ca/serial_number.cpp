#include "ca/serial_number.h"

#include <algorithm>
#include <chrono>

namespace cmpost {

Bytes make_serial_number(Time now, Random& random) {
  constexpr std::size_t kTimeOctets = 6;
  constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 46) - 1;
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
  auto head = std::max<std::int64_t>(millis, 0) & kTimeMask;
  // 01 in front: never negative, and no leading zero octet that DER would cut off.
  head |= std::uint64_t{1} << 46;

  Bytes serial = random.bytes(kSerialNumberOctets);
  for (std::size_t i = kTimeOctets; i-- > 0; head >>= 8) {
    serial[i] = static_cast<std::uint8_t>(head);
  }
  return serial;
}

std::string serial_text(ByteView serial) {
  while (serial.size() > 1 && serial.front() == 0) serial = serial.subspan(1);
  return to_hex(serial);
}

}  // namespace cmpost
