#include "mail/bounce_address.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::MatchesRegex;

const JobId kBounceJob = *JobId::from_text("00112233445566778899aabbccddeeff");
const Bytes kBounceKey(32, 7);

Mailbox bounce_to(const std::string& local) {
  return bounce_address({local, "ca.test"}, kBounceJob, kBounceKey).value();
}

TEST(BounceAddress, LeadsBackToTheJob) {
  const auto address = bounce_to("pki");
  EXPECT_THAT(address.local, MatchesRegex("pki\\+b\\.[a-z2-7]{40}"));
  EXPECT_EQ(address.domain, "ca.test");
  EXPECT_EQ(job_of_bounce_address(address, kBounceKey), kBounceJob);
  EXPECT_EQ(read_mailbox(address.text()), address);
}

TEST(BounceAddress, IsTheSameForEachTry) { EXPECT_EQ(bounce_to("pki"), bounce_to("pki")); }

TEST(BounceAddress, SurvivesServersThatChangeTheCase) {
  auto address = bounce_to("pki");
  for (char& c : address.local) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(job_of_bounce_address(address, kBounceKey), kBounceJob);
}

TEST(BounceAddress, StaysWithinTheLengthOfALocalPart) {
  EXPECT_EQ(bounce_to(std::string(21, 'x')).local.size(), 64U);
  EXPECT_EQ(bounce_to(std::string(22, 'x')).local, std::string(22, 'x'));
}

TEST(BounceAddress, WhatWeDidNotMakeIsNothing) {
  const auto address = bounce_to("pki");
  EXPECT_FALSE(job_of_bounce_address(address, Bytes(32, 8)));
  for (std::size_t i = address.local.size() - 40; i < address.local.size(); ++i) {
    auto changed = address;
    changed.local[i] = changed.local[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(job_of_bounce_address(changed, kBounceKey)) << i;
  }
  for (const auto* local : {"pki", "pki+b.", "+b.", "", "pki+b.aaaa", "pki+other"}) {
    EXPECT_FALSE(job_of_bounce_address({local, "ca.test"}, kBounceKey)) << local;
  }
  EXPECT_FALSE(job_of_bounce_address({address.local + "a", "ca.test"}, kBounceKey));
  EXPECT_FALSE(job_of_bounce_address({"pki+b." + std::string(40, '!'), "ca.test"}, kBounceKey));
}

}  // namespace
}  // namespace cmpost
