// Mails that no person has written: bounces, reports, what answers by itself.
#include <gmock/gmock.h>

#include "tests/mail/mail_intake.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using MailsOfPrograms = MailIngressTest;

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

TEST_F(MailsOfPrograms, ABounceIsToldOn) {
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

TEST_F(MailsOfPrograms, WhatAProgramSendsWaitsForAnOperatorUnlessTheChannelNamesItsSenders) {
  const std::vector<std::string> by_programs = {"Auto-Submitted: auto-generated\r\n",
                                                "Precedence: bulk\r\n",
                                                "Precedence: junk\r\n",
                                                "Precedence: list\r\n",
                                                "List-Id: <x.example>\r\n",
                                                "X-Auto-Response-Suppress: All\r\n"};
  for (const bool takes : {false, true}) {
    if (takes) settings_.mail()->senders = {"*@site.example"};
    for (const auto& header : by_programs) {
      const auto raw = to_bytes(with_request(header, "dev@site.example"));
      const auto judged = judge_mail(raw, "1", settings_, nullptr);
      EXPECT_EQ(judged.place, takes ? MailPlace::done : MailPlace::quarantine) << header;
      EXPECT_THAT(judged.requests, SizeIs(takes ? 1 : 0)) << header;
      EXPECT_THAT(judge_mail(raw, "1", settings_, nullptr, true).requests, SizeIs(1)) << "released";
    }
  }
}

TEST_F(MailsOfPrograms, WhatPeopleAndDevicesSendIsTaken) {
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

TEST_F(MailsOfPrograms, ToWhomNoProgramMayReplyNothingIsEverSent) {
  settings_.mail()->senders = {"*@*.example"};
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
TEST_F(MailsOfPrograms, ABounceOfAnyFormAtTheReturnPathOfAnAnswerIsToldOn) {
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

TEST_F(MailsOfPrograms, WhoIsOnHolidayOrGetsItLaterHasNotSentItBack) {
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

TEST_F(MailsOfPrograms, AReportIsNoRequestWhateverItBringsBack) {
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

// What a CA above sends: nobody answers it, so that nothing can go round.
TEST_F(MailsOfPrograms, AnswersOfACaAboveAreTakenWhateverProgramHasWrittenThem) {
  settings_.direction = Direction::upstream;
  for (const std::string header :
       {"Auto-Submitted: auto-replied\r\n", "Return-Path: <>\r\n", "Precedence: bulk\r\n",
        "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n"}) {
    const auto judged =
        judge_mail(to_bytes(with_request(header, "ca@vault.example")), "1", settings_, nullptr);
    EXPECT_EQ(judged.place, MailPlace::done) << header << judged.reason;
    ASSERT_THAT(judged.requests, SizeIs(1)) << header;
    EXPECT_EQ(judged.requests[0].envelope.reply.address, "") << header;
  }
}

TEST_F(MailsOfPrograms, ASenderThatIsNotNamedIsNotHeardAboveEither) {
  settings_.direction = Direction::upstream;
  settings_.mail()->senders = {"ca@vault.example"};
  const auto judged = [&](const char* sender) {
    return judge_mail(to_bytes(with_request("Auto-Submitted: auto-replied\r\n", sender)), "1",
                      settings_, nullptr);
  };
  EXPECT_EQ(judged("ca@vault.example").place, MailPlace::done);
  EXPECT_EQ(judged("ca@else.example").place, MailPlace::quarantine);
}

TEST_F(MailsOfPrograms, AQuestionThatComesBackFromAboveIsNoAnswer) {
  settings_.direction = Direction::upstream;
  const auto raw = with_request("Return-Path: <>\r\nTo: " + std::string(kReturnPath) + "\r\n",
                                "MAILER-DAEMON@mx.example");
  const auto judged = judge_mail(to_bytes(raw), "1", settings_, nullptr);
  EXPECT_THAT(judged.requests, IsEmpty());
  EXPECT_THAT(judged.reports, SizeIs(1));
}

}  // namespace
}  // namespace cmpost
