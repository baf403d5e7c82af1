#include "mail/mail_ingress.h"

#include <gmock/gmock.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_job_queue.h"
#include "tests/support/mail_of_a_person.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Mails in memory.
class FakeSource final : public MailSource {
 public:
  std::map<std::string, Bytes> mails;  // by arrival
  std::map<std::string, MailPlace> filed;
  std::optional<Error> trouble_filing;
  std::size_t fetched = 0;
  std::size_t counted = 0;  // how often

  Result<void> connect(const std::stop_token&) override { return {}; }
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token&) override {
    std::vector<MailHandle> found;
    for (const auto& [arrival, raw] : mails) {
      if (!filed.contains(arrival) && found.size() < max) {
        found.push_back({arrival, arrival, raw.size()});
      }
    }
    return found;
  }
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token&) override {
    ++fetched;
    const auto& raw = mails.at(mail.key);
    return Bytes(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(std::min(max, raw.size())));
  }
  Result<void> file_away(std::span<const MailHandle> handles, MailPlace place,
                         const std::stop_token&) override {
    if (trouble_filing) return failure(*trouble_filing);
    for (const auto& mail : handles) filed[mail.arrival] = place;
    return {};
  }
  Result<std::size_t> count_foreign(const std::stop_token&) override {
    ++counted;
    return static_cast<std::size_t>(std::ranges::count_if(
        filed, [](const auto& one) { return one.second == MailPlace::foreign; }));
  }
  Result<void> wait(Duration, const std::stop_token&) override { return {}; }
};

class MailIngressTest : public ::testing::Test {
 protected:
  MailIngressTest() : queue_(clock_) {
    settings_.name = "depots";
    settings_.kind = ChannelKind::mail;
    settings_.mail.from = "pki@example.com";
    settings_.state = directory_ / "state";
    start();
  }

  // As after a restart.
  void start() {
    auto source = std::make_unique<FakeSource>();
    if (source_ != nullptr) *source = *source_;
    source_ = source.get();
    ingress_ = std::make_unique<MailIngress>(settings_, std::move(source), queue_, clock_,
                                             [this](const DeliveryReport& report, const Bytes&) {
                                               bounced_.push_back(report.recipient);
                                               return Result<void>();
                                             });
  }

  static Bytes request(std::uint8_t number) { return {0x30, 0x03, 0x02, 0x01, number}; }

  static OutgoingMail mail_of(const Bytes& message, const std::string& from = "dev@site.example") {
    OutgoingMail mail;
    mail.from = read_mailbox(from).value();
    mail.to = read_mailbox("pki@example.com").value();
    mail.subject = "request";
    mail.message_id = "<1@site.example>";
    mail.text = "a request";
    mail.file_name = "dev1.pki";
    mail.message = message;
    return mail;
  }

  void receive(const std::string& arrival, const OutgoingMail& mail) {
    receive(arrival, mail_of_a_person(mail));
  }
  void receive(const std::string& arrival, const std::string& raw) {
    source_->mails[arrival] = to_bytes(raw);
  }

  Intake poll() {
    const auto intake = ingress_->poll({});
    EXPECT_THAT(intake, IsOk());
    return intake.value_or(Intake{});
  }

  std::vector<Lease> requests() { return queue_.take(1000).value(); }
  std::vector<JobStatus> held() {
    return queue_.list({.state = JobState::held, .channel = {}}).value();
  }

  TemporaryDirectory directory_;
  ChannelSettings settings_;
  FakeClock clock_;
  FakeJobQueue queue_;
  FakeSource* source_ = nullptr;
  std::unique_ptr<MailIngress> ingress_;
  std::vector<std::string> bounced_;
};

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
  settings_.mail.max_mail = 100;
  start();
  receive("1", mail_of(request(1)));
  EXPECT_EQ(poll().quarantined, 1U);
  EXPECT_EQ(source_->fetched, 0U);
  ASSERT_THAT(held(), SizeIs(1));
  EXPECT_THAT(held()[0].reason, HasSubstr("max_mail"));
}

TEST_F(MailIngressTest, SendersThatAreNotListedGoToQuarantineAndCanBeReleased) {
  settings_.mail.senders = {"*@good.example"};
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
  settings_.mail.per_sender_per_hour = 2;
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

TEST_F(MailIngressTest, ABounceIsToldOn) {
  receive("1",
          "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
          "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
          "--b\r\nContent-Type: text/plain\r\n\r\nno\r\n"
          "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
          "Reporting-MTA: dns; mx.example\r\n\r\n"
          "Final-Recipient: rfc822; dev@site.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
          "--b--\r\n");
  poll();
  EXPECT_THAT(bounced_, ElementsAre("dev@site.example"));
  EXPECT_EQ(source_->filed.at("1"), MailPlace::done);
}

constexpr const char* kReturnPath =
    "pki+b.aaaaaaaabbbbbbbbccccccccddddddddeeeeeeee@example.com";  // of an answer; who knows whose

// With a request in it, which must be found by nobody.
std::string with_request(const std::string& header, const std::string& from) {
  return header + (from.empty() ? "" : "From: " + from + "\r\n") +
         "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
         "--b\r\n\r\nhello\r\n"
         "--b\r\nContent-Type: application/pkixcmp; name=dev1.pki\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\nMAMCAQE=\r\n--b--\r\n";
}

TEST_F(MailIngressTest, WhatAProgramSendsWaitsForAnOperatorUnlessTheChannelNamesItsSenders) {
  const std::vector<std::string> by_programs = {"Auto-Submitted: auto-generated\r\n",
                                                "Precedence: bulk\r\n",
                                                "Precedence: junk\r\n",
                                                "Precedence: list\r\n",
                                                "List-Id: <x.example>\r\n",
                                                "X-Auto-Response-Suppress: All\r\n"};
  for (const bool takes : {false, true}) {
    if (takes) settings_.mail.senders = {"*@site.example"};
    for (const auto& header : by_programs) {
      const auto raw = to_bytes(with_request(header, "dev@site.example"));
      const auto judged = judge_mail(raw, "1", settings_, nullptr);
      EXPECT_EQ(judged.place, takes ? MailPlace::done : MailPlace::quarantine) << header;
      EXPECT_THAT(judged.requests, SizeIs(takes ? 1 : 0)) << header;
      EXPECT_THAT(judge_mail(raw, "1", settings_, nullptr, true).requests, SizeIs(1)) << "released";
    }
  }
}

TEST_F(MailIngressTest, WhatPeopleAndDevicesSendIsTaken) {
  for (const std::string header :
       {"Return-Path: <dev@site.example>\r\n", "Auto-Submitted: no\r\n", "Precedence: normal\r\n",
        "X-Auto-Response-Suppress: None\r\n", "Subject: Vacation replacement: new certificate\r\n",
        "Subject: Auto: device 7\r\n", "Subject: Out of office printer 3\r\n",
        "Subject: Abwesend bis Montag, bitte vorher\r\n", "Subject: Re: CMP error for dev1\r\n",
        "In-Reply-To: <1@example.com>\r\nReferences: <1@example.com>\r\n",
        "To: pki+b.aaaaaaaabbbbbbbbccccccccddddddddeeeeeeee@example.com\r\n"}) {
    const auto judged =
        judge_mail(to_bytes(with_request(header, "dev@site.example")), "1", settings_, nullptr);
    EXPECT_EQ(judged.place, MailPlace::done) << header << judged.reason;
    EXPECT_THAT(judged.requests, SizeIs(1)) << header;
    EXPECT_THAT(judged.reports, IsEmpty()) << header;
  }
}

TEST_F(MailIngressTest, ToWhomNoProgramMayReplyNothingIsEverSent) {
  settings_.mail.senders = {"*@*.example"};
  const std::vector<std::pair<std::string, std::string>> mails = {
      {"Return-Path: <>\r\n", "dev@site.example"},
      {"Return-Path: <#@[]>\r\n", "dev@site.example"},
      {"Auto-Submitted: auto-replied\r\n", "dev@site.example"},
      {"Auto-Submitted: Auto-Replied (vacation)\r\n", "dev@site.example"},
      {"Auto-Submitted: auto-notified; x=y\r\n", "dev@site.example"},
      {"X-Autoreply: yes\r\n", "dev@site.example"},
      {"Subject: Automatic reply: CMP ip for dev1\r\n", "dev@site.example"},
      {"Subject: =?utf-8?q?Abwesenheitsnotiz:_CMP_ip?=\r\n", "dev@site.example"},
      {"X-Failed-Recipients: dev@site.example\r\n", "dev@site.example"},
      {"", "MAILER-DAEMON@mx.example"},
      {"", "Mail Delivery System <Mailer-Daemon@mx.example>"},
      {"Return-Path: <mailer-daemon@mx.example>\r\n", "dev@site.example"}};
  for (const auto& [header, from] : mails) {
    const auto judged = judge_mail(to_bytes(with_request(header, from)), "1", settings_, nullptr);
    EXPECT_EQ(judged.place, MailPlace::quarantine) << header << from;
    EXPECT_THAT(judged.requests, IsEmpty()) << header << from;
  }
}

// As the systems write them that do not write reports by RFC 3464, to the return path of an answer.
TEST_F(MailIngressTest, ABounceOfAnyFormAtTheReturnPathOfAnAnswerIsToldOn) {
  const std::string to = std::string("To: ") + kReturnPath + "\r\n";
  const std::vector<std::pair<std::string, std::string>> bounces = {
      {"qmail", "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\n" + to +
                    "Subject: failure notice\r\n\r\nHi. This is the qmail-send program at mx.\r\n"},
      {"Exim",
       "Return-Path: <>\r\nX-Failed-Recipients: dev@site.example\r\n"
       "Auto-Submitted: auto-replied\r\nFrom: Mail Delivery System "
       "<Mailer-Daemon@mx.example>\r\n" +
           to + "Subject: Mail delivery failed: returning message to sender\r\n\r\nno\r\n"},
      {"Exchange",
       "Return-Path: <>\r\nX-MS-Exchange-Message-Is-Ndr:\r\n"
       "From: postmaster@site.example\r\n" +
           to + "Subject: Undeliverable: CMP ip for dev1\r\n\r\nno\r\n"},
      {"HTML", "Return-Path: <>\r\nFrom: postmaster@site.example\r\n" + to +
                   "Content-Type: text/html\r\n\r\n<p>no such user</p>\r\n"},
      {"no Return-Path", "From: MAILER-DAEMON@mx.example\r\n" + to + "\r\nno such user\r\n"},
      {"upper case",
       "Return-Path: <>\r\nTo: PKI+B.AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDEEEEEEEE@X\r\n"
       "\r\nno such user\r\n"},
      {"with all that it was about", with_request("Return-Path: <>\r\n" + to, "x@mx.example")},
      {"a report that says nothing",
       "Return-Path: <>\r\n" + to +
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
           "--b\r\n\r\nno such user\r\n--b--\r\n"}};
  for (const auto& [what, raw] : bounces) {
    const auto judged = judge_mail(to_bytes(raw), "1", settings_, nullptr);
    EXPECT_EQ(judged.place, MailPlace::done) << what;
    EXPECT_THAT(judged.requests, IsEmpty()) << what;
    ASSERT_THAT(judged.reports, SizeIs(1)) << what;
    EXPECT_EQ(judged.reports[0].action, DeliveryReport::Action::failed) << what;
  }
}

TEST_F(MailIngressTest, WhoIsOnHolidayOrGetsItLaterHasNotSentItBack) {
  const std::string to = std::string("To: ") + kReturnPath + "\r\n";
  const auto holiday = judge_mail(
      to_bytes("Return-Path: <>\r\nFrom: dev@site.example\r\nAuto-Submitted: auto-replied "
               "(vacation)\r\n" +
               to + "Subject: I am away\r\n\r\nuntil Monday\r\n"),
      "1", settings_, nullptr);
  EXPECT_THAT(holiday.reports, IsEmpty());
  EXPECT_EQ(holiday.place, MailPlace::foreign);
  const auto later = judge_mail(
      to_bytes("Return-Path: <>\r\nFrom: Mailer-Daemon@mx.example\r\n" + to +
               "Subject: Warning: message 1abc delayed 24 hours\r\n\r\nstill trying\r\n"),
      "1", settings_, nullptr);
  ASSERT_THAT(later.reports, SizeIs(1));
  EXPECT_EQ(later.reports[0].action, DeliveryReport::Action::delayed);
}

TEST_F(MailIngressTest, AReportIsNoRequestWhateverItBringsBack) {
  receive("1",
          "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
          "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
          "--r\r\nContent-Type: text/plain\r\n\r\nno\r\n"
          "--r\r\nContent-Type: message/delivery-status\r\n\r\n"
          "Reporting-MTA: dns; mx.example\r\n\r\n"
          "Final-Recipient: rfc822; dev@site.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
          "--r\r\nContent-Type: message/rfc822\r\n\r\n" +
              with_request("Subject: CMP ip for dev1\r\n", "pki@example.com") + "\r\n--r--\r\n");
  poll();
  EXPECT_THAT(bounced_, ElementsAre("dev@site.example"));
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_EQ(source_->filed.at("1"), MailPlace::done);
}

TEST_F(MailIngressTest, ManyMailsAreTakenInOneLook) {
  for (int i = 0; i < 250; ++i) receive(std::to_string(1000 + i), mail_of(request(1)));
  settings_.mail.per_sender_per_hour = 10'000;
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
