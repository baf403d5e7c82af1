#include "mime/scan.h"

#include <gmock/gmock.h>

#include "mime/mimetic_tree.h"
#include "mime/second_opinion.h"
#include "tests/mime/mail_files.h"
#include "tests/support/matchers.h"

namespace cmpost {

namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<ScannedPart> scanned(std::string_view mail) {
  auto parts = scan(view_of(mail), {});
  EXPECT_THAT(parts, IsOk());
  return parts ? *parts : std::vector<ScannedPart>{};
}

std::vector<std::string> paths(const std::vector<ScannedPart>& parts) {
  std::vector<std::string> found;
  for (const auto& part : parts) found.push_back(part.path + " " + part.type.value);
  return found;
}

std::string multipart_mail(const std::string& inside) {
  return "Content-Type: multipart/mixed; boundary=b\n\n" + inside;
}

TEST(Scan, NumbersPartsAsImapDoes) {
  EXPECT_THAT(paths(scanned("A: b\n\nhello\n")), ElementsAre("1 text/plain"));
  EXPECT_THAT(paths(scanned(multipart_mail("--b\n\nx\n"
                                           "--b\nContent-Type: multipart/related; boundary=c\n\n"
                                           "--c\nContent-Type: image/png\n\ny\n--c--\n"
                                           "--b\nContent-Type: message/rfc822\n\n"
                                           "Subject: inner\n\nz\n"
                                           "--b--\n"))),
              ElementsAre(" multipart/mixed", "1 text/plain", "2 multipart/related",
                          "2.1 image/png", "3 message/rfc822", "3.1 text/plain"));
}

TEST(Scan, NumbersTheMultipartOfAForwardedMailAsThatMail) {
  EXPECT_THAT(
      paths(scanned("Content-Type: message/rfc822\n\n" + multipart_mail("--b\n\nx\n--b--"))),
      ElementsAre("1 message/rfc822", "1 multipart/mixed", "1.1 text/plain"));
}

TEST(Scan, ABodyEndsBeforeTheLineEndOfTheDelimiter) {
  const auto bodies = [](std::string_view mail) {
    std::vector<std::string> found;
    for (const auto& part : scanned(mail)) found.emplace_back(part.body);
    return found;
  };
  EXPECT_THAT(bodies("A: b\r\n\r\nhello\r\n"), ElementsAre("hello\r\n"));
  const auto inside = multipart_mail("--b\r\n\r\nx\r\n\r\n--b\n\n--b\n\n\n--b--\n");
  EXPECT_THAT(bodies(inside), ElementsAre(HasSubstr("--b"), "x\r\n", "", ""));
}

TEST(Scan, LimitsAreCheckedBeforeMemoryIsTaken) {
  MailLimits limits;
  limits.mail = 100;
  limits.line = 20;
  const auto fails = [&](const std::string& mail, const std::string& why) {
    EXPECT_THAT(scan(view_of(mail), limits), Fails(HasSubstr(why))) << mail.substr(0, 100);
  };
  fails(std::string(101, 'x'), "longer than 100 octets");
  fails("A: " + std::string(18, 'x') + "\n\n", "longer than 20 octets");
  limits.mail = std::size_t{1} << 20U;
  limits.header = 50;
  fails("A: xxxxxxxxxxxxx\nA: xxxxxxxxxxxxx\nA: xxxxxxxxxxxxx\n\n", "longer than 50 octets");
  limits.header = 1000;
  limits.line = 60;
  fails(multipart_mail(std::string(61, 'x') + "\n--b\n\n--b--\n"), "longer than 60 octets");
  fails(multipart_mail("--b\n\n--b--\n" + std::string(61, 'x') + "\n"), "longer than 60 octets");
}

// mimetic takes quadratic time for long headers and a stack frame for each level.
TEST(Scan, WhatWouldCostMimeticTimeOrStackIsRefusedBefore) {
  EXPECT_THAT(scan(view_of("A: b" + std::string(70000, 'x')), {}), Fails(HasSubstr("longer")));
  std::string folded = "A: b\n";
  while (folded.size() < 70000) folded += " " + std::string(1000, 'x') + "\n";
  EXPECT_THAT(scan(view_of(folded), {}), Fails(HasSubstr("longer than 65536")));
  std::string deep;
  for (int level = 0; level < 20000; ++level) {
    const auto number = std::to_string(level);
    deep += "Content-Type: multipart/mixed; boundary=l" + number + "x\n\n--l" + number + "x\n";
  }
  EXPECT_THAT(scan(view_of(deep), {}), Fails(HasSubstr("inside one another")));
  std::string forwarded;
  for (int level = 0; level < 50000; ++level) forwarded += "Content-Type: message/rfc822\n\n";
  EXPECT_THAT(scan(view_of(forwarded), {}), Fails(HasSubstr("inside one another")));
}

TEST(Scan, ALineOfAnMboxFileIsSkippedAtTheTopOnly) {
  EXPECT_THAT(scanned("From x\nA: b\n\nhello"), SizeIs(1));
  EXPECT_THAT(scan(view_of("From x\nFrom y\nA: b\n\nhello"), {}), Fails(HasSubstr("no colon")));
  EXPECT_THAT(scan(view_of("From x"), {}), Fails(HasSubstr("empty")));
}

TEST(SecondOpinion, MimeticFindsTheSameLeaves) {
  const std::string mail =
      multipart_mail("--b\n\nx\n--b\nContent-Type: Application/PKIXCMP ; name=x\n\nabc\n\n--b--");
  const auto leaves = mimetic_leaves(view_of(mail));
  ASSERT_THAT(leaves, IsOk());
  ASSERT_THAT(*leaves, SizeIs(2));
  EXPECT_THAT(leaves->at(0).type, Eq("text/plain"));
  EXPECT_THAT(leaves->at(1).type, Eq("application/pkixcmp"));
  EXPECT_THAT(leaves->at(1).size, Eq(3U));
  EXPECT_THAT(agree_with_mimetic(view_of(mail), scanned(mail)), IsOk());
}

// mimetic reads in blocks of 4096 octets.
TEST(SecondOpinion, MimeticAgreesHoweverLongTheLinesAre) {
  for (std::size_t length = 4080; length < 4110; ++length) {
    for (const std::size_t before : {0U, 1U, 100U, 4090U}) {
      const auto mail = multipart_mail("--b\r\n\r\n" + std::string(before, 'x') + "\r\n" +
                                       std::string(length, 'y') + "\r\n--b--\r\n");
      EXPECT_THAT(agree_with_mimetic(view_of(mail), scanned(mail)), IsOk()) << length;
    }
  }
}

// An attachment that came as it is must not be put aside for the CRs and LFs in it.
TEST(SecondOpinion, MimeticAgreesAboutOctetsOfEveryKind) {
  std::uint32_t state = 1;
  const auto some_octet = [&] {
    state = state * 1664525 + 1013904223;
    const auto octet = static_cast<char>(state >> 24);
    return (state & 0x700) == 0 ? "\r\n-\0"[state >> 11 & 3] : octet;
  };
  for (int round = 0; round < 300; ++round) {
    std::string octets = "0";
    while (octets.size() < 40U * static_cast<unsigned>(round)) octets.push_back(some_octet());
    for (const std::string line_end : {"\r\n", "\n"}) {
      std::string mail =
          "A: b" + line_end + "Content-Type: multipart/mixed; boundary=bound" + line_end;
      mail += line_end + "--bound" + line_end + line_end + octets + line_end + "--bound--";
      EXPECT_THAT(agree_with_mimetic(view_of(mail), scanned(mail)), IsOk()) << round;
    }
  }
}

TEST(SecondOpinion, AnotherTypeSizeOrNumberIsADifference) {
  const std::string one = "Content-Type: a/b\n\nhello";
  const auto disagrees = [&](const std::string& other, const std::string& how) {
    EXPECT_THAT(agree_with_mimetic(view_of(other), scanned(one)), Fails(HasSubstr(how)));
  };
  disagrees("Content-Type: a/c\n\nhello", "part 1 is a/b or a/c");
  disagrees("Content-Type: a/b\n\nhell", "part 1 has 5 or 4 octets");
  disagrees(multipart_mail("--b\n\nx\n--b\n\ny\n--b--\n"), "has 1 or 2 parts");
}

}  // namespace

}  // namespace cmpost
