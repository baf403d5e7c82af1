#include <gmock/gmock.h>

#include "mime/read_mail.h"
#include "tests/mime/mail_files.h"
#include "tests/support/matchers.h"

namespace cmpost {

namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Action = DeliveryReport::Action;

constexpr const char* kFailedRecipient =
    "Final-Recipient: rfc822; depot7@site.example\n"
    "Original-Recipient: rfc822;Depot7@site.example\n"
    "Action: failed\n"
    "Status: 5.1.1\n"
    "Remote-MTA: dns; mx.site.example\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <depot7@site.example>:\n    unknown user\n";

constexpr const char* kOriginalHeader =
    "Content-Type: text/rfc822-headers\n\nFrom: pki@ca.example\nMessage-ID: <out.1@ca.example>\n";

// As Postfix writes it.
Bytes bounce(const std::string& recipients, const std::string& original = kOriginalHeader,
             const std::string& kind = "report-type=delivery-status; ") {
  const std::string mail =
      "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered\n"
      "Auto-Submitted: auto-replied\n"
      "Content-Type: multipart/report; " +
      kind +
      "\n\tboundary=\"b/mx.example\"\n\n"
      "This is a MIME-encapsulated message.\n\n"
      "--b/mx.example\nContent-Description: Notification\n\nI am sorry.\n\n"
      "--b/mx.example\nContent-Type: message/delivery-status\n\n"
      "Reporting-MTA: dns; mx.example\nArrival-Date: Fri, 21 Nov 2026 07:00:00 +0000\n\n" +
      recipients + "\n--b/mx.example\n" + original + "\n--b/mx.example--\n";
  return to_bytes(std::string_view(mail));
}

std::vector<DeliveryReport> reports_in(const Bytes& mail) {
  EXPECT_THAT(read_mail(mail, {}, {}), IsOk());
  auto reports = read_delivery_reports(mail, {});
  EXPECT_THAT(reports, IsOk());
  return reports ? *reports : std::vector<DeliveryReport>{};
}

TEST(DeliveryReports, AMailWithOneIsRecognised) {
  const auto mail = read_mail(bounce(kFailedRecipient), {}, {});
  ASSERT_THAT(mail, IsOk());
  EXPECT_TRUE(mail->delivery_report);
  EXPECT_TRUE(mail->automatic);
  EXPECT_TRUE(mail->automatic);
  const auto other = read_mail(
      bounce(kFailedRecipient, kOriginalHeader, "report-type=disposition-notification; "), {}, {});
  ASSERT_THAT(other, IsOk());
  EXPECT_FALSE(other->delivery_report);
  EXPECT_TRUE(other->automatic);
}

TEST(DeliveryReports, SayWhoDidNotGetWhatAndWhy) {
  const auto reports = reports_in(bounce(kFailedRecipient));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].recipient, Eq("depot7@site.example"));
  EXPECT_THAT(reports[0].action, Eq(Action::failed));
  EXPECT_THAT(reports[0].status, Eq("5.1.1"));
  EXPECT_THAT(reports[0].diagnostic, HasSubstr("unknown user"));
  EXPECT_THAT(reports[0].original_message_id, Eq("<out.1@ca.example>"));
}

TEST(DeliveryReports, EveryRecipientHasItsOwn) {
  const auto reports = reports_in(
      bounce("Final-Recipient: rfc822; a@x\nAction: delayed\nStatus: 4.4.1\n\n"
             "Final-Recipient: rfc822; b@x\nAction: Delivered (to mailbox)\nStatus: 2.0.0\n\n"
             "Final-Recipient: rfc822; c@x\nAction: relayed\nStatus: nonsense\n\n"
             "Original-Recipient: rfc822; d@x\nAction: expanded\nStatus: 2.0.0 (fine)\n"));
  ASSERT_THAT(reports, SizeIs(4));
  EXPECT_THAT(reports[0].action, Eq(Action::delayed));
  EXPECT_THAT(reports[1].action, Eq(Action::delivered));
  EXPECT_THAT(reports[2].action, Eq(Action::relayed));
  EXPECT_THAT(reports[2].status, IsEmpty());
  EXPECT_THAT(reports[3].action, Eq(Action::expanded));
  EXPECT_THAT(reports[3].recipient, Eq("d@x"));
  EXPECT_THAT(reports[3].status, Eq("2.0.0"));
}

TEST(DeliveryReports, TheOriginalMayBeThereAsAWhole) {
  const auto reports = reports_in(
      bounce(kFailedRecipient,
             "Content-Type: message/rfc822\n\nMessage-ID: <out.2@ca.example>\n\nhello\n"));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].original_message_id, Eq("<out.2@ca.example>"));
}

TEST(DeliveryReports, TheOriginalMayBeMissingOrUnreadable) {
  for (const auto* original :
       {"Content-Type: text/plain\n\nMessage-ID: <a@b>\n",
        "Content-Type: text/rfc822-headers\n\nno header\nMessage-ID: <a@b>\n",
        "Content-Type: text/rfc822-headers\n\nMessage-ID: <a b>\n",
        "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n!!\n"}) {
    const auto reports = reports_in(bounce(kFailedRecipient, original));
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_THAT(reports[0].original_message_id, IsEmpty());
  }
}

TEST(DeliveryReports, AnythingElseIsRefused) {
  const auto fails = [](const Bytes& mail, const std::string& why) {
    EXPECT_THAT(read_delivery_reports(mail, {}), Fails(HasSubstr(why)));
  };
  fails(mail_with_header("A: b\n"), "no delivery report");
  fails(bounce(""), "no recipient and action");
  fails(bounce("Final-Recipient: rfc822; a@x\nAction: eaten\n"), "no recipient and action");
  fails(
      to_bytes(std::string_view("Content-Type: multipart/report; boundary=b\n\n--b\n\nx\n--b--\n")),
      "no message/delivery-status");
}

TEST(DeliveryReports, TheirNumberIsLimited) {
  std::string recipients;
  for (int i = 0; i < 101; ++i) recipients += "Final-Recipient: rfc822; a@x\nAction: failed\n\n";
  EXPECT_THAT(read_delivery_reports(bounce(recipients), {}), Fails(HasSubstr("too many")));
}

}  // namespace

}  // namespace cmpost
