#include "mail/wire/smtp_dialogue.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// Everything but the last line must leave the reply open.
Result<SmtpReply> reply_of(const std::vector<std::string>& lines) {
  SmtpReplyReader reader;
  for (const auto& line : lines) {
    ASSIGN_OR_RETURN(auto reply, reader.add(line));
    if (reply) {
      if (&line != &lines.back()) return hold("ends before its last line");
      return *std::move(reply);
    }
  }
  return hold("has no end");
}

TEST(SmtpReply, OneLineIsAReply) {
  const auto reply = reply_of({"550 5.1.1 <x@y>: unknown"}).value();
  EXPECT_EQ(reply.code, 550);
  EXPECT_EQ(reply.severity(), 5);
  EXPECT_EQ(reply.status, "5.1.1");
  EXPECT_EQ(reply.text(), "550 5.1.1 <x@y>: unknown");
}

TEST(SmtpReply, SeveralLinesAreOneReply) {
  const auto reply = reply_of({"250-mx.test", "250-SIZE 100", "250 DSN"}).value();
  EXPECT_THAT(reply.lines, ElementsAre("mx.test", "SIZE 100", "DSN"));
  EXPECT_EQ(reply.text(), "250 mx.test / SIZE 100 / DSN");
}

TEST(SmtpReply, ACodeAloneIsEnough) {
  EXPECT_EQ(reply_of({"354"}).value().text(), "354 ");
  EXPECT_THAT(reply_of({"250-", "250"}).value().lines, ElementsAre("", ""));
}

TEST(SmtpReply, AReaderTakesOneReplyAfterTheOther) {
  SmtpReplyReader reader;
  EXPECT_EQ(reader.add("250 first").value()->code, 250);
  EXPECT_EQ(reader.add("550 second").value()->text(), "550 second");
}

TEST(SmtpReply, WhatIsNoReplyIsRefused) {
  for (const auto* line : {"", "25", "2500 x", "abc x", "150 x", "650 x", "250x", "+OK", "-50 x",
                           " 250 x", "250\tx", "* OK"}) {
    EXPECT_THAT(reply_of({line}), Fails(HasSubstr("not SMTP"))) << line;
  }
}

TEST(SmtpReply, LinesOfOneReplyHaveOneCode) {
  EXPECT_THAT(reply_of({"250-a", "550 b"}), Fails(HasSubstr("250 and 550")));
}

TEST(SmtpReply, EndlessOnesAreRefused) {
  EXPECT_THAT(reply_of(std::vector<std::string>(100'000, "250-more")), Fails(HasSubstr("no end")));
  EXPECT_THAT(reply_of({"250 " + std::string(kMaxSmtpReplyLine, 'x')}), Not(IsOk()));
}

TEST(SmtpReply, AStatusMustFitTheCode) {
  EXPECT_EQ(reply_of({"250 2.0.0 Ok"}).value().status, "2.0.0");
  EXPECT_EQ(reply_of({"452 4.12.123"}).value().status, "4.12.123");
  for (const auto* line : {"250 5.1.1 x", "550 5.1 x", "550 5.1.1x", "550 5.1234.1 x",
                           "550 55.1.1 x", "550 5..1 x", "550 no", "550"}) {
    EXPECT_EQ(reply_of({line}).value().status, "") << line;
  }
}

TEST(SmtpReply, ItsTextIsHarmlessOnATerminal) {
  EXPECT_EQ(reply_of({"550 \x1b[31mred"}).value().text(), "550 \\x1b[31mred");
}

TEST(SmtpExtensions, AreReadInAnyCaseAndWithParameters) {
  const auto all = read_extensions(reply_of({"250-mx", "250-size 100", "250 Dsn"}).value());
  EXPECT_TRUE(all.size);
  EXPECT_TRUE(all.dsn);
  const auto none = read_extensions(reply_of({"250-SIZE", "250-SIZES", "250 XDSN"}).value());
  EXPECT_FALSE(none.size);
  EXPECT_FALSE(none.dsn);
}

TEST(SmtpCommand, AsksForReportsWhereTheServerOffersThem) {
  const SmtpEnvelope envelope = {"pki+b.1@x", "dev@y", "a+b=c d", 77};
  EXPECT_EQ(mail_command(envelope, {.size = true, .dsn = true}),
            "MAIL FROM:<pki+b.1@x> SIZE=77 RET=HDRS ENVID=a+2Bb+3Dc+20d\r\n");
  EXPECT_EQ(recipient_command(envelope, {.size = true, .dsn = true}),
            "RCPT TO:<dev@y> NOTIFY=FAILURE,DELAY\r\n");
  EXPECT_EQ(mail_command(envelope, {}), "MAIL FROM:<pki+b.1@x>\r\n");
  EXPECT_EQ(recipient_command(envelope, {}), "RCPT TO:<dev@y>\r\n");
}

TEST(SmtpCommand, TheNullReturnPathWantsNoReports) {
  const SmtpEnvelope envelope = {"", "dev@y", "", 1};
  EXPECT_EQ(mail_command(envelope, {.size = false, .dsn = true}), "MAIL FROM:<> RET=HDRS\r\n");
  EXPECT_EQ(recipient_command(envelope, {.size = false, .dsn = true}),
            "RCPT TO:<dev@y> NOTIFY=NEVER\r\n");
}

TEST(SmtpCommand, AddressesThatWouldAddToACommandAreRefused) {
  for (const auto* address :
       {"a@b>\r\nRCPT TO:<c@d", "a@b\r\nDATA", "a@b\n", "a@b> SIZE=1", "a b@c", "<a@b>", "a", "@b",
        "a@", "", "\xc3\xa4@b", "a\x7f@b", "a\t@b"}) {
    EXPECT_THAT(check_envelope({"x@y", address, "", 0}), Not(IsOk())) << address;
    if (*address != '\0') {
      EXPECT_THAT(check_envelope({address, "x@y", "", 0}), Not(IsOk())) << address;
    }
  }
  EXPECT_THAT(check_envelope({"x@y", std::string(253, 'a') + "@b", "", 0}), Not(IsOk()));
  EXPECT_THAT(check_envelope({"", "a@b", "", 0}), IsOk());
  EXPECT_THAT(check_envelope({"x@y", "\"odd\"@[127.0.0.1]", "", 0}), IsOk());
}

TEST(SmtpData, StrictMailIsAccepted) {
  EXPECT_THAT(check_mail(view_of("A: b\r\n\r\nx\r\n")), IsOk());
  EXPECT_THAT(check_mail(view_of(std::string(998, 'x') + "\r\n")), IsOk());
  EXPECT_THAT(check_mail({}), IsOk());
}

TEST(SmtpData, WhatServersReadDifferentlyIsRefused) {
  for (const auto* raw : {"a\n", "a\r", "a\n.\nb\r\n", "a\r.\rb\r\n", "a\r\n.\rb\r\n", "a\n.\r\n",
                          "a\r\r\n", "\n\r\n", "a", "a\r\nb"}) {
    EXPECT_THAT(check_mail(view_of(raw)), Not(IsOk())) << raw;
  }
  EXPECT_THAT(check_mail(view_of(std::string_view("a\0b\r\n", 5))), Fails(HasSubstr("7-bit")));
  EXPECT_THAT(check_mail(view_of("x\r\n\xc3\xa4\r\n")), Fails(HasSubstr("line 2")));
  EXPECT_THAT(check_mail(view_of(std::string(999, 'x') + "\r\n")), Fails(HasSubstr("too long")));
}

TEST(SmtpData, DotsAtTheBeginningOfALineAreDoubled) {
  EXPECT_EQ(data_octets(view_of("a.\r\n.b\r\n.\r\n..\r\nc\r\n")),
            "a.\r\n..b\r\n..\r\n...\r\nc\r\n.\r\n");
  EXPECT_EQ(data_octets(view_of(".\r\n")), "..\r\n.\r\n");
  EXPECT_EQ(data_octets({}), ".\r\n");
}

}  // namespace
}  // namespace cmpost
