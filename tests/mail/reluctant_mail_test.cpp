// Mails that a server names and does not hand over: those beside them come.
#include "tests/mail/mail_intake.h"

namespace cmpost {
namespace {

class ReluctantServer : public MailIngressTest {
 protected:
  ReluctantServer() {
    for (const auto* arrival : {"1", "2", "3", "4"}) receive(arrival);
  }
  using MailIngressTest::receive;
  void receive(const std::string& arrival) {
    auto mail = mail_of(request(static_cast<std::uint8_t>(arrival.front())));
    mail.message_id = "<" + arrival + "@site.example>";
    receive(arrival, mail);
  }
};

class ReluctantMail : public ReluctantServer, public ::testing::WithParamInterface<Reluctance> {};

TEST_P(ReluctantMail, OthersComeAndItIsLeftOutWithItsName) {
  source_->bad = {{"2", GetParam()}};
  EXPECT_EQ(poll().deposited, 3U);
  EXPECT_TRUE(source_->filed.contains("1") && source_->filed.contains("4"));
  EXPECT_THAT(held(), ::testing::IsEmpty()) << "it is tried again first";
  poll();
  EXPECT_EQ(poll().stuck, 1U);
  const auto jobs = held();
  ASSERT_THAT(jobs, ::testing::SizeIs(1));
  EXPECT_EQ(jobs[0].envelope.source, "mail 2");
  EXPECT_EQ(jobs[0].size, 0U);
  const auto asked = source_->fetched;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(poll().stuck, 1U);
  EXPECT_EQ(source_->fetched, asked) << "it rests";
  receive("5");
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_P(ReluctantMail, WhatComesAfterAllIsTaken) {
  source_->bad = {{"2", GetParam()}};
  for (int i = 0; i < 3; ++i) poll();
  source_->bad.clear();
  clock_.advance(std::chrono::minutes(10));
  const auto intake = poll();
  EXPECT_EQ(intake.deposited, 1U);
  EXPECT_EQ(intake.stuck, 0U);
  EXPECT_THAT(held(), ::testing::IsEmpty());
}

TEST_P(ReluctantMail, SomeMayBeBad) {
  source_->bad = {{"1", GetParam()}, {"3", GetParam()}};
  EXPECT_EQ(poll().deposited, 2U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReluctantMail,
                         ::testing::Values(Reluctance::refuses, Reluctance::breaks));

TEST_F(ReluctantServer, NoMailIsToBlameForAServerThatIsDown) {
  source_->down = true;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(ingress_->poll({}));
  source_->down = false;
  EXPECT_EQ(poll().deposited, 4U);
}

TEST_F(ReluctantServer, NorForOneThatHandsOverNothing) {
  for (const auto* arrival : {"1", "2", "3", "4"}) source_->bad[arrival] = Reluctance::breaks;
  EXPECT_FALSE(ingress_->poll({})) << "the channel fails";
  source_->bad.clear();
  EXPECT_EQ(poll().deposited, 4U);
}

}  // namespace
}  // namespace cmpost
