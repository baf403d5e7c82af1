// Gross differences in time; tests/attack/timing_oracle.cpp looks closer.
#include <algorithm>
#include <ctime>

#include "tests/processor/messages.h"

namespace cmpost {
namespace {

struct AnswerTime : ::testing::Test {
  // As many as a channel allows: who asks chooses the work.
  static constexpr std::int64_t kIterations = 50'000;

  Bytes asking(std::string_view reference, const PKIBody& body) {
    auto header = first_header(ca, name("CN=nobody"), to_bytes(reference), {});
    return must(protect_with_mac(std::move(header), body,
                                 make_pbm_parameter(ca.random, kIterations),
                                 view_of("a wrong secret"), {}));
  }
  // Of this thread alone: other programs at work on the machine do not count.
  static double processor_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
  }
  // Microseconds; the least of some, which nothing else has disturbed.
  double least(std::string_view reference, const PKIBody& body) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const auto lease = ca.arrival(asking(reference, body));
      const auto begin = processor_time();
      const auto decision = respond(lease, *ca.reader, ca.services());
      best = std::min(best, processor_time() - begin);
      EXPECT_THAT(decision, IsOk());
    }
    return best;
  }
  CaUnderTest ca{"revocation_passphrase = true\nmac = { lock_after = 1 }\n"};
  Credential device;
};

TEST_F(AnswerTime, UnknownReferenceTakesAsLongAsOneThatExists) {
  const auto known = least(CaUnderTest::kReference, ir(device));
  const auto unknown = least("nobody", ir(device));
  EXPECT_GT(unknown, known / 2);
  EXPECT_LT(unknown, known * 2);
}

TEST_F(AnswerTime, LockedReferenceTakesAsLongAsAnOpenOne) {
  const auto open = least(CaUnderTest::kReference, ir(device));
  ca.exchange(asking(CaUnderTest::kReference, ir(device)));
  EXPECT_GT(least(CaUnderTest::kReference, ir(device)), open / 2);
}

TEST_F(AnswerTime, PassphraseThatNobodyHasLeftTakesAsLongAsASecret) {
  RevDetails details;
  details.certDetails.serialNumber = Bytes{1};
  EXPECT_GT(least("nobody", body::rr{{details}}), least("nobody", ir(device)) / 2);
}

}  // namespace
}  // namespace cmpost
