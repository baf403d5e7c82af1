#include "mail/mail_ingress.h"

#include "tests/mail/mail_intake.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(MailIngressTest, ARequestIsQueuedWithTheWayBackAndThenFiledAway) {
  receive("1", mail_of(request(1)));
  EXPECT_EQ(poll().deposited, 1U);
  const auto leases = requests();
  ASSERT_THAT(leases, SizeIs(1));
  const auto& job = leases[0].job;
  EXPECT_EQ(job.payload, request(1));
  EXPECT_EQ(job.envelope.reply.channel, "depots");
  EXPECT_EQ(job.envelope.reply.address, "dev@site.example");
  EXPECT_EQ(job.envelope.reply.name, "dev1");
  EXPECT_EQ(job.envelope.reply.in_reply_to, "<1@site.example>");
  EXPECT_EQ(source_->filed.at("1"), MailPlace::done);
}

TEST_F(MailIngressTest, TheSameMailSeenTwiceIsOneRequest) {
  receive("1", mail_of(request(1)));
  source_->trouble_filing = Error{Recovery::retry, "the server went away", ""};
  EXPECT_FALSE(ingress_->poll({}));
  source_->trouble_filing.reset();
  start();
  const auto intake = poll();
  EXPECT_EQ(intake.known, 1U);
  EXPECT_THAT(requests(), SizeIs(1));
  EXPECT_EQ(source_->filed.at("1"), MailPlace::done);
}

TEST_F(MailIngressTest, TheSameRequestInTwoMailsIsTwoArrivals) {
  receive("1", mail_of(request(1)));
  receive("2", mail_of(request(1)));
  poll();
  EXPECT_THAT(requests(), SizeIs(2));
}

TEST_F(MailIngressTest, NothingIsFiledAwayBeforeTheQueueHasIt) {
  receive("1", mail_of(request(1)));
  queue_.fail_with(Error{Recovery::retry, "the disk is full", ""});
  EXPECT_FALSE(ingress_->poll({}));
  EXPECT_THAT(source_->filed, IsEmpty());
  queue_.go_on();
  EXPECT_EQ(poll().deposited, 1U);
}

TEST_F(MailIngressTest, ForeignMailsAreCountedWhenThereIsReasonAndNotAtEveryLook) {
  const std::string lunch = "From: boss@example.com\r\nSubject: lunch\r\n\r\nat noon?\r\n";
  receive("1", lunch);
  for (int i = 0; i < 3; ++i) poll();
  EXPECT_EQ(source_->counted, 1U);
  EXPECT_EQ(ingress_->looked_at().without_request, 1U);
  receive("2", lunch);
  poll();
  EXPECT_EQ(source_->counted, 2U);
  EXPECT_EQ(ingress_->looked_at().without_request, 2U);
  source_->filed["1"] = MailPlace::done;  // by a person
  clock_.advance(10min);
  poll();
  EXPECT_EQ(ingress_->looked_at().without_request, 1U);
}

TEST_F(MailIngressTest, ForeignMailIsLeftToPeople) {
  receive("1", "From: boss@example.com\r\nSubject: lunch\r\n\r\nat noon?\r\n");
  poll();
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_EQ(source_->filed.at("1"), MailPlace::foreign);
}

TEST_F(MailIngressTest, OfAFileNamedLikeARequestTheOctetsDecideNotTheType) {
  const auto der_of = [](const Bytes& message, const std::string& type) {
    auto raw = mail_of_a_person(mail_of(message));
    const std::string pkixcmp = "application/pkixcmp";
    return raw.replace(raw.find(pkixcmp), pkixcmp.size(), type);
  };
  // A header of a PKIMessage: pvno, sender and recipient.
  const Bytes message = {0x30, 0x0d, 0x30, 0x0b, 0x02, 0x01, 0x02, 0xa4,
                         0x02, 0x30, 0x00, 0xa4, 0x02, 0x30, 0x00};
  receive("1", der_of(message, "application/x-x509-ca-cert"));
  receive("2", der_of(message, "application/x-anything"));
  receive("3", der_of(request(1), "application/x-x509-ca-cert"));
  EXPECT_EQ(poll().deposited, 2U);
  EXPECT_EQ(source_->filed.at("3"), MailPlace::foreign) << "is no message";
}

TEST_F(MailIngressTest, ABadMailIsKeptWithItsReasonAndDoesNotStopItsNeighbours) {
  receive("1",
          "From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nno end\r\n");
  receive("2", mail_of(request(2)));
  const auto intake = poll();
  EXPECT_EQ(intake.quarantined, 1U);
  EXPECT_EQ(intake.deposited, 1U);
  ASSERT_THAT(held(), SizeIs(1));
  EXPECT_THAT(held()[0].reason, Not(IsEmpty()));
  EXPECT_EQ(queue_.payload(held()[0].id).value(), source_->mails.at("1"));
  EXPECT_EQ(source_->filed.at("1"), MailPlace::quarantine);
  EXPECT_EQ(source_->filed.at("2"), MailPlace::done);
}

TEST_F(MailIngressTest, AMailThatIsTooLargeIsNotEvenFetched) {
  settings_.mail()->max_mail = 100;
  start();
  receive("1", mail_of(request(1)));
  EXPECT_EQ(poll().quarantined, 1U);
  EXPECT_EQ(source_->fetched, 0U);
  ASSERT_THAT(held(), SizeIs(1));
  EXPECT_THAT(held()[0].reason, HasSubstr("max_mail"));
}

TEST_F(MailIngressTest, SendersThatAreNotListedGoToQuarantineAndCanBeReleased) {
  settings_.mail()->senders = {"*@good.example"};
  start();
  receive("1", mail_of(request(1), "a@evil.example"));
  EXPECT_EQ(poll().quarantined, 1U);
  ASSERT_THAT(held(), SizeIs(1));
  EXPECT_THAT(held()[0].reason, HasSubstr("a@evil.example"));
  const auto released = judge_mail(source_->mails.at("1"), "1", settings_, nullptr, true);
  EXPECT_EQ(released.place, MailPlace::done);
  EXPECT_THAT(released.requests, SizeIs(1));
}

TEST_F(MailIngressTest, OverItsBudgetASenderWaitsForTheNextHour) {
  settings_.mail()->per_sender_per_hour = 2;
  start();
  for (int i = 1; i <= 4; ++i) receive(std::to_string(i), mail_of(request(1)));
  receive("5", mail_of(request(5), "other@site.example"));
  auto intake = poll();
  EXPECT_EQ(intake.deposited, 3U);
  EXPECT_EQ(intake.stuck, 2U);
  EXPECT_FALSE(source_->filed.contains("3"));
  clock_.advance(std::chrono::minutes(61));
  EXPECT_EQ(poll().deposited, 2U);
}

TEST_F(MailIngressTest, ManyMailsAreTakenInOneLook) {
  for (int i = 0; i < 250; ++i) receive(std::to_string(1000 + i), mail_of(request(1)));
  settings_.mail()->per_sender_per_hour = 10'000;
  start();
  EXPECT_EQ(poll().deposited, 250U);
  EXPECT_THAT(source_->filed, SizeIs(250));
}

TEST_F(MailIngressTest, MailsStayWhereTheyAreWhileTooManyRequestsArePending) {
  settings_.limits.max_pending = 2;
  start();
  for (std::uint8_t i = 0; i < 5; ++i) receive(std::to_string(i), mail_of(request(i)));
  const auto first = poll();
  EXPECT_EQ(first.deposited, 2U);
  EXPECT_TRUE(first.paused);
  EXPECT_EQ(source_->fetched, 2U) << "nothing is fetched to be left there";
  clock_.advance(1s);
  EXPECT_EQ(poll().deposited, 0U);
  for (const auto& lease : requests())
    ASSERT_THAT(queue_.finish({&lease.job.id, 1}, "answered"), IsOk());
  clock_.advance(1s);
  EXPECT_EQ(poll().deposited, 2U);
  EXPECT_EQ(source_->filed.size(), 4U);
}

TEST_F(MailIngressTest, AFullDiskLeavesEveryMailWhereItIsAndNeedsHelp) {
  settings_.limits.min_free = std::size_t{1} << 60U;
  settings_.limits.disks = {directory_.path()};
  start();
  receive("1", mail_of(request(1)));
  const auto intake = poll();
  EXPECT_EQ(intake.deposited, 0U);
  EXPECT_EQ(intake.stuck, 1U);
  EXPECT_FALSE(intake.paused) << "a batch run does not wait for somebody to make room";
  EXPECT_EQ(source_->fetched, 0U);
}

}  // namespace
}  // namespace cmpost
