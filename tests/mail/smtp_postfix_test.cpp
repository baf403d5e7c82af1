// SmtpSender and MailEgress against Postfix.
#include <gmock/gmock.h>

#include "mail/bounce_address.h"
#include "mail/mail_egress.h"
#include "mail/wire/smtp_sender.h"
#include "mime/read_mail.h"
#include "tests/mail/fixtures/postfix.h"
#include "tests/support/fake_clock.h"

namespace cmpost {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SmtpToPostfix : public WithPostfix {
 protected:
  static SmtpOutcome send(const MailSettings& settings, const std::string& user,
                          const std::string& raw = "Subject: x\r\n\r\nx\r\n") {
    SmtpSender sender(settings);
    return sender.send("ra@test", {user, "test"}, "job1", view_of(raw));
  }
};

TEST_F(SmtpToPostfix, MailArrivesAsItWasSent) {
  const std::string body =
      "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n" + std::string(998, 'x') + "\r\n";
  for (const auto* scheme : {"smtp", "smtps"}) {
    const auto outcome = send(postfix_->settings(scheme), "ee", body);
    EXPECT_EQ(outcome.what, SmtpOutcome::What::accepted) << outcome.detail;
    EXPECT_THAT(outcome.detail, HasSubstr("queued as"));
    auto mail = postfix_->take_mail("ee");
    std::erase(mail, '\r');
    EXPECT_THAT(mail, HasSubstr("\n\n.\n..\n.x\n" + std::string(998, 'x') + "\n"));
    EXPECT_THAT(mail, HasSubstr("Return-Path: <ra@test>"));
  }
}

TEST_F(SmtpToPostfix, RefusalsAreTold) {
  const auto settings = postfix_->settings("smtp");
  const auto later = send(settings, "later");
  EXPECT_EQ(later.what, SmtpOutcome::What::temporary);
  EXPECT_THAT(later.detail, HasSubstr("451 4.3.0"));
  const auto nobody = send(settings, "nobody");
  EXPECT_EQ(nobody.what, SmtpOutcome::What::permanent);
  EXPECT_THAT(nobody.detail, HasSubstr("550 5.1.1"));
  std::string large = "Subject: x\r\n\r\n";
  while (large.size() < 210'000) large += std::string(76, 'x') + "\r\n";
  const auto big = send(settings, "ee", large);
  EXPECT_EQ(big.what, SmtpOutcome::What::permanent);
  EXPECT_THAT(big.detail, HasSubstr("MAIL with: 552 5.3.4"));
}

TEST_F(SmtpToPostfix, ARefusedMailLeavesTheConnectionToTheNext) {
  SmtpSender sender(postfix_->settings("smtps"));
  for (const auto* user : {"later", "nobody", "ee", "later", "ee"}) {
    const auto outcome = sender.send("ra@test", {user, "test"}, "1", view_of("A: b\r\n\r\nx\r\n"));
    EXPECT_EQ(outcome.what == SmtpOutcome::What::accepted, std::string(user) == "ee");
    EXPECT_FALSE(outcome.disconnected);
  }
  EXPECT_THAT(postfix_->take_mail("ee"), HasSubstr("A: b"));
  EXPECT_THAT(postfix_->take_mail("ee"), HasSubstr("A: b"));
}

TEST_F(SmtpToPostfix, OnlyTheRightServerIsTalkedTo) {
  for (const auto* scheme : {"smtp", "smtps"}) {
    auto other_ca = postfix_->settings(scheme);
    other_ca.tls.ca = postfix_->file("other.pem");
    EXPECT_EQ(send(other_ca, "ee").what, SmtpOutcome::What::channel);
    EXPECT_THAT(send(other_ca, "ee").detail, HasSubstr("not trusted"));
    auto pinned = postfix_->settings(scheme);
    pinned.tls.pins = {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    EXPECT_EQ(send(pinned, "ee").what, SmtpOutcome::What::channel);
    EXPECT_THAT(send(pinned, "ee").detail, HasSubstr("pinned"));
    auto other_name = postfix_->settings(scheme);
    other_name.send.host = "127.0.0.2";  // nothing listens there, and no certificate says so
    EXPECT_EQ(send(other_name, "ee").what, SmtpOutcome::What::channel);
  }
}

TEST_F(SmtpToPostfix, AWrongPasswordIsTroubleOfTheChannel) {
  auto settings = postfix_->settings("smtp");
  settings.send_login.password_file = postfix_->file_with("wrong", "guess\n");
  const auto outcome = send(settings, "ee");
  EXPECT_EQ(outcome.what, SmtpOutcome::What::channel);
  EXPECT_THAT(outcome.detail, HasSubstr("535"));
  EXPECT_THAT(outcome.detail, Not(HasSubstr("guess")));
  EXPECT_THAT(SmtpSender(settings).connect(), Fails(HasSubstr("refused the login")));
  EXPECT_THAT(SmtpSender(postfix_->settings("smtp")).connect(), IsOk());
}

TEST_F(SmtpToPostfix, ADeliveryReportLeadsBackToTheAnswer) {
  const FakeClock clock;
  const Bytes key(32, 7);
  MailEgress egress("site", postfix_->settings("smtps"), Direction::downstream, "grid", key, clock);
  Lease lease;
  lease.job.id = *JobId::from_text("00112233445566778899aabbccddeeff");
  lease.job.envelope.reply = {"site", "gone@test", "dev1", "<1@site.test>", ""};
  lease.job.envelope.body = "ip";
  lease.job.payload = {0x30, 0x00};
  lease.arrived = clock.now();
  const auto sent = egress.send({&lease, 1}, {});
  ASSERT_THAT(sent.each, SizeIs(1));
  ASSERT_EQ(sent.each[0].what, Delivery::What::sent) << sent.each[0].detail;

  const auto report = postfix_->take_mail("ra");
  const auto mail = read_mail(view_of(report), {}, {});
  ASSERT_THAT(mail, IsOk());
  EXPECT_TRUE(mail->delivery_report);
  const auto reports = read_delivery_reports(view_of(report), {});
  ASSERT_THAT(reports, IsOk());
  ASSERT_THAT(*reports, SizeIs(1));
  EXPECT_EQ(reports->front().action, DeliveryReport::Action::failed);
  EXPECT_EQ(reports->front().status, "5.1.1");
  EXPECT_THAT(reports->front().diagnostic, HasSubstr("gone for ever"));
  EXPECT_EQ(reports->front().original_message_id, "<00112233445566778899aabbccddeeff.grid@test>");
  const std::string field = "X-Original-To: ";
  const auto begin = report.find(field) + field.size();
  const auto address = read_mailbox(report.substr(begin, report.find('\n', begin) - begin));
  ASSERT_TRUE(address) << report;
  EXPECT_EQ(job_of_bounce_address(*address, key), lease.job.id);
}

}  // namespace
}  // namespace cmpost
