#include "ca/serial_number.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"

namespace cmpost {
namespace {

TEST(SerialNumber, IsPositiveAndHasSixteenOctetsAtAnyTime) {
  FakeRandom random;
  for (const std::int64_t micros :
       {std::int64_t{-5'000'000}, std::int64_t{0}, std::int64_t{1'790'000'000'000'000},
        std::int64_t{32'503'680'000'000'000}}) {
    const Bytes serial = make_serial_number(from_unix_micros(micros), random);
    EXPECT_EQ(serial.size(), 16u);
    EXPECT_EQ(serial[0] & 0xc0, 0x40);
  }
}

TEST(SerialNumber, OfALaterMillisecondIsLarger) {
  FakeRandom random;
  FakeClock clock;
  Bytes last = make_serial_number(clock.now(), random);
  for (int i = 0; i < 1000; ++i) {
    clock.advance(std::chrono::milliseconds(1));
    const Bytes next = make_serial_number(clock.now(), random);
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(SerialNumber, OfTheSameMillisecondIsAnotherOne) {
  FakeRandom random;
  const FakeClock clock;
  std::set<Bytes> serials;
  for (int i = 0; i < 1000; ++i) serials.insert(make_serial_number(clock.now(), random));
  EXPECT_EQ(serials.size(), 1000u);
}

}  // namespace
}  // namespace cmpost
