#include "mime/read_mail.h"

#include <gmock/gmock.h>

#include <array>
#include <thread>

#include "tests/mime/mail_files.h"
#include "tests/support/matchers.h"

namespace cmpost {

namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using Wrapped = IncomingMail::Wrapped;

IncomingMail incoming(ByteView raw) {
  auto mail = read_mail(raw, {}, {});
  EXPECT_THAT(mail, IsOk());
  return mail ? *mail : IncomingMail{};
}

IncomingMail incoming(const std::string& header) { return incoming(mail_with_header(header)); }

TEST(ReadMail, TakesTheFieldsOfTheOutermostHeader) {
  const auto mail = incoming(
      "Return-Path: <bounce@site.example>\n"
      "Authentication-Results: mx.example; dkim=pass\n header.d=site.example\n"
      "Authentication-Results: other.example; spf=fail\n"
      "From: \"Depot 7\" <depot7@Site.Example>\n"
      "Reply-To: answers@site.example\n"
      "Subject: =?utf-8?q?Ger=C3=A4t?=\n 7\n"
      "Message-ID:\n <1@site.example>\n"
      "References: <a@x> <b@x>\n <c@x>\n");
  EXPECT_THAT(mail.from, Optional(Mailbox{"depot7", "site.example"}));
  EXPECT_THAT(mail.reply_to, Optional(Mailbox{"answers", "site.example"}));
  EXPECT_THAT(mail.return_path, Optional(Mailbox{"bounce", "site.example"}));
  EXPECT_THAT(mail.message_id, Eq("<1@site.example>"));
  EXPECT_THAT(mail.references, ElementsAre("<a@x>", "<b@x>", "<c@x>"));
  EXPECT_THAT(mail.subject, Eq("Ger\xc3\xa4t 7"));
  EXPECT_THAT(
      mail.authentication_results,
      ElementsAre("mx.example; dkim=pass header.d=site.example", "other.example; spf=fail"));
  EXPECT_FALSE(mail.automatic);
  EXPECT_FALSE(mail.delivery_report);
  EXPECT_THAT(mail.wrapped, Eq(Wrapped::no));
  EXPECT_THAT(mail.messages, IsEmpty());
}

TEST(ReadMail, AFieldThatMayBeThereOnceAndIsThereTwiceSaysNothing) {
  const auto mail = incoming(
      "From: a@b\nFrom: c@d\nReply-To: a@b\nReply-To: a@b\nMessage-ID: <a@b>\nMessage-ID: <c@d>\n");
  EXPECT_FALSE(mail.from || mail.reply_to);
  EXPECT_THAT(mail.message_id, IsEmpty());
}

TEST(ReadMail, OfSeveralReturnPathsTheTopmostIsTheServers) {
  const auto mail = incoming("Return-Path: <good@site.example>\nReturn-Path: <evil@x>\n");
  EXPECT_THAT(mail.return_path, Optional(Mailbox{"good", "site.example"}));
}

TEST(ReadMail, OfManyReferencesTheLastTenCount) {
  std::string header = "References:";
  for (int i = 0; i < 30; ++i) header += "\n <" + std::to_string(i) + "@x>";
  const auto mail = incoming(header + "\n");
  EXPECT_THAT(mail.references, SizeIs(10));
  EXPECT_THAT(mail.references.back(), Eq("<29@x>"));
}

TEST(ReadMail, WithoutReferencesInReplyToContinuesTheThread) {
  EXPECT_THAT(incoming("In-Reply-To: <a@x>\n").references, ElementsAre("<a@x>"));
  EXPECT_THAT(incoming("In-Reply-To: <a@x>\nReferences: <b@x>\n").references, ElementsAre("<b@x>"));
}

TEST(ReadMail, NobodyReadsTheAnswerToAnAutomaticMail) {
  for (const auto* header :
       {"Auto-Submitted: auto-replied\n", "Auto-Submitted: Auto-Generated (cron)\n",
        "Auto-Submitted: auto-replied; x=y\n", "Precedence: bulk\n", "precedence: LIST\n",
        "Precedence: junk\n", "List-Id: <x.y>\n", "List-Unsubscribe: <mailto:x@y>\n",
        "Return-Path: <>\n", "Return-Path: <#@[]>\n", "X-Auto-Response-Suppress: All\n",
        "X-Auto-Response-Suppress: DR, OOF,\n AutoReply\n", "From: MAILER-DAEMON@x\n",
        "X-Autoreply: yes\n", "Content-Type: multipart/report; boundary=b\n"}) {
    std::string mail = header + std::string("\n--b\n\nhello\n--b--\n");
    EXPECT_TRUE(incoming(to_bytes(std::string_view(mail))).automatic) << header;
  }
  for (const auto* header : {"Auto-Submitted: no\n", "Auto-Submitted: No (a person)\n",
                             "X-Auto-Response-Suppress: None\n", "X-Auto-Response-Suppress: OOF\n",
                             "X-Auto-Response-Suppress: DR, OOF, AutoReplyNot\n",
                             "Precedence: first-class\n", "Return-Path: <a@b>\n", "Listing: x\n"}) {
    EXPECT_FALSE(incoming(header).automatic) << header;
  }
}

TEST(ReadMail, ANullReturnPathIsNotAnAddress) {
  const auto mail = incoming("Return-Path: <>\n");
  EXPECT_TRUE(mail.automatic);
  EXPECT_FALSE(mail.return_path);
}

TEST(ReadMail, SaysWhereAPartStandsAndWhatItIsCalled) {
  const auto mail = incoming(read_mail_file("forwarded.eml"));
  ASSERT_THAT(mail.messages, SizeIs(1));
  EXPECT_THAT(mail.messages[0].path, Eq("2.2"));
  EXPECT_THAT(mail.messages[0].content, Eq(read_mail_file("sample.der")));
  const auto named = incoming(read_mail_file("name-continued-and-encoded.eml"));
  ASSERT_THAT(named.messages, SizeIs(1));
  EXPECT_THAT(named.messages[0].name, Eq("\xc3\xa4-\xc3\xb6.pki"));
}

TEST(ReadMail, TheFieldsOfAForwardedMailAreNotThoseOfTheMail) {
  const auto mail = incoming(
      to_bytes(std::string_view("From: outer@x\nContent-Type: message/rfc822\n\n"
                                "From: inner@x\nAuto-Submitted: auto-replied\n\nhello\n")));
  EXPECT_THAT(mail.from, Optional(Mailbox{"outer", "x"}));
  EXPECT_FALSE(mail.automatic);
}

TEST(ReadMail, OctetStreamsCountByPolicy) {
  const auto raw = read_mail_file("octet-stream-pki.eml");
  EXPECT_THAT(read_mail(raw, {}, {.octet_stream = true})->messages, SizeIs(1));
  EXPECT_THAT(read_mail(raw, {}, {.octet_stream = false})->messages, IsEmpty());
  EXPECT_THAT(read_mail(read_mail_file("type-0.eml"), {}, {.octet_stream = false})->messages,
              SizeIs(1));
}

TEST(ReadMail, AMessageLargerThanTheLimitIsRefused) {
  MailLimits limits;
  limits.message = 259;  // one less than sample.der
  EXPECT_THAT(read_mail(read_mail_file("type-0.eml"), limits, {}),
              Fails(HasSubstr("larger than 259")));
  limits.message = 20;  // refused before it is decoded
  EXPECT_THAT(read_mail(read_mail_file("type-0.eml"), limits, {}),
              Fails(HasSubstr("larger than 20")));
  limits.message = 260;
  EXPECT_THAT(read_mail(read_mail_file("type-0.eml"), limits, {}), IsOk());
}

TEST(ReadMail, TnefComesWithAHint) {
  const auto mail = read_mail(read_mail_file("tnef-type.eml"), {}, {});
  ASSERT_FALSE(mail);
  EXPECT_THAT(mail.error().what, HasSubstr("winmail.dat"));
  EXPECT_THAT(mail.error().hint, HasSubstr("Rich Text"));
  EXPECT_THAT(mail.error().recovery, Eq(Recovery::hold));
}

TEST(ReadMail, SMimeAroundTheMailIsRecognised) {
  const auto wrapped = [](const std::string& type, const std::string& body = "MAA=") {
    const std::string mail =
        "Content-Type: " + type + "\nContent-Transfer-Encoding: base64\n\n" + body;
    return incoming(to_bytes(std::string_view(mail))).wrapped;
  };
  EXPECT_THAT(wrapped("application/pkcs7-mime; smime-type=enveloped-data"), Eq(Wrapped::enveloped));
  EXPECT_THAT(wrapped("application/pkcs7-mime; smime-type=authEnveloped-data"),
              Eq(Wrapped::enveloped));
  EXPECT_THAT(wrapped("application/x-pkcs7-mime; smime-type=\"Signed-Data\""),
              Eq(Wrapped::opaque_signed));
  EXPECT_THAT(wrapped("application/pkcs7-mime; smime-type=certs-only"), Eq(Wrapped::no));
  // 30 80 06 09 <envelopedData> and 30 82 01 00 06 09 <signedData>
  EXPECT_THAT(wrapped("application/pkcs7-mime", "MIAGCSqGSIb3DQEHAw=="), Eq(Wrapped::enveloped));
  EXPECT_THAT(wrapped("application/octet-stream; name=smime.p7m", "MIIBAAYJKoZIhvcNAQcC"),
              Eq(Wrapped::opaque_signed));
  EXPECT_THAT(wrapped("application/octet-stream; name=x.bin", "MIIBAAYJKoZIhvcNAQcC"),
              Eq(Wrapped::no));
  EXPECT_THAT(incoming(read_mail_file("smime-clear-signed.eml")).wrapped,
              Eq(Wrapped::clear_signed));
  EXPECT_THAT(incoming(read_mail_file("multipart.eml")).wrapped, Eq(Wrapped::no));
}

// mimetic is not made for threads; what we use of it has to be.
TEST(ReadMail, SeveralThreadsMayReadAtTheSameTime) {
  const auto raw = read_mail_file("python-crlf.eml");
  std::array<std::size_t, 4> found{};
  {
    std::vector<std::jthread> threads;
    for (auto& count : found) {
      threads.emplace_back([&raw, &count] {
        for (int i = 0; i < 50; ++i) {
          const auto mail = read_mail(raw, {}, {});
          if (mail) count += mail->messages.size();
        }
      });
    }
  }
  EXPECT_THAT(found, testing::Each(100U));
}

}  // namespace

}  // namespace cmpost
