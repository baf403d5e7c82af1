#include "outbox/answer_name.h"

#include <gmock/gmock.h>

#include "outbox/leftovers.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

Lease answer(const std::string& stem) {
  Lease lease;
  lease.job.id = JobId::from_text("00112233445566778899aabbccddeeff").value();
  lease.job.envelope.reply.name = stem;
  lease.job.envelope.body = "ip";
  lease.job.envelope.tid = "c0ffee";
  lease.arrived = from_iso8601("2026-01-31T23:59:59Z").value();
  return lease;
}

std::string first_name(const std::string& name_template, const std::string& stem) {
  return answer_names(name_template, answer(stem)).front();
}

TEST(AnswerName, TheTemplateIsFilledIn) {
  EXPECT_EQ(first_name("{stem}.{body}.pki", "dev1"), "dev1.ip.pki");
  EXPECT_EQ(first_name("{date}-{seq}-{tid}.pki", "dev1"), "20260131-00112233-c0ffee.pki");
}

TEST(AnswerName, TheFurtherNamesCarryTheJobId) {
  EXPECT_THAT(answer_names("{stem}.{body}.pki", answer("dev1")),
              ElementsAre("dev1.ip.pki", "dev1.ip-00112233.pki",
                          "dev1.ip-00112233445566778899aabbccddeeff.pki"));
}

TEST(AnswerName, WithoutAStemTheJobIdIsTheName) {
  EXPECT_EQ(first_name("{stem}.{body}.pki", ""), "00112233445566778899aabbccddeeff.ip.pki");
}

TEST(AnswerName, AStemCannotLeaveTheDirectoryNorHide) {
  const std::vector<std::string> stems = {"../../etc/passwd",
                                          "/etc/passwd",
                                          "..",
                                          ".",
                                          ".hidden",
                                          "-rf",
                                          "~root",
                                          "a\nb",
                                          "a b;rm",
                                          "$(x)",
                                          "a\\b",
                                          "C:x",
                                          "\x1b[31m",
                                          "\xff\xfe",
                                          std::string("a\0b", 3)};
  for (const auto& stem : stems) {
    const auto name = first_name("{stem}.{body}.pki", stem);
    EXPECT_EQ(name.find_first_of("/\\:;$\n\x1b \xff"), std::string::npos) << name;
    EXPECT_THAT(name, Not(StartsWith("."))) << name;
    EXPECT_THAT(name, Not(StartsWith("-"))) << name;
    EXPECT_THAT(name, Not(StartsWith("~"))) << name;
    EXPECT_TRUE(name.ends_with(".ip.pki")) << name;
  }
}

TEST(AnswerName, LettersOfOtherScriptsStayAndDeceptiveCharactersGo) {
  EXPECT_EQ(file_name_part("Ger\xc3\xa4t-\xe8\xa8\xad", 100), "Ger\xc3\xa4t-\xe8\xa8\xad");
  EXPECT_EQ(file_name_part("a\xe2\x80\xae"
                           "b",
                           100),
            "a_b");  // right-to-left override
  EXPECT_EQ(file_name_part("a\xe2\x80\x8b"
                           "b",
                           100),
            "a_b");  // zero width space
  EXPECT_EQ(file_name_part("a\xef\xbb\xbf"
                           "b",
                           100),
            "a_b");  // byte order mark
  EXPECT_EQ(file_name_part("a\xc2\x85"
                           "b",
                           100),
            "a_b");  // a control of C1
  EXPECT_EQ(file_name_part("a\xc0\xaf"
                           "b",
                           100),
            "a__b");  // overlong '/'
  EXPECT_EQ(file_name_part("a\u3164b\ufe0fc", 100), "a_b_c") << "filler, variation selector";
  EXPECT_EQ(file_name_part("a\u3000b\u00a0c\U00100000", 100), "a_b_c_") << "blanks, private use";
}

TEST(AnswerName, LongNamesAreWholeAndTheLongestKeepTheirEnd) {
  const auto stem = std::string(90, 'x') + "-00001";
  EXPECT_EQ(first_name("{stem}.{body}.pki", stem), stem + ".ip.pki");
  const auto longest = first_name("{stem}.{body}.pki", std::string(245, 'x') + "-00001");
  EXPECT_TRUE(longest.ends_with("-00001.ip.pki")) << longest;
  EXPECT_EQ(longest.size(), 200U);
}

TEST(AnswerName, NamesAreCutBetweenCharactersAndKeepTheirEnding) {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xc3\xa4";
  EXPECT_TRUE(is_utf8(file_name_part(umlauts, 7)));
  for (const auto& name : answer_names("{stem}-{stem}-{stem}.{body}.pki", answer(umlauts))) {
    EXPECT_LE(name.size(), 200U);
    EXPECT_TRUE(name.ends_with(".pki"));
    EXPECT_LE(part_name(name, answer("").job.id).size(), 255U);
  }
}

TEST(PartName, IsKnownAgain) {
  const auto id = answer("").job.id;
  EXPECT_EQ(part_name("dev1.ip.pki", id), ".dev1.ip.pki.00112233445566778899aabbccddeeff.part");
  EXPECT_EQ(job_of_part(part_name("dev1.ip.pki", id)), id);
  for (const auto* name :
       {"dev1.part", ".dev1.part", ".part", ".00112233445566778899aabbccddeeff.part",
        "dev1.00112233445566778899aabbccddeeff.part",
        ".dev1.00112233445566778899aabbccddeefg.part"}) {
    EXPECT_FALSE(job_of_part(name)) << name;
  }
}

}  // namespace
}  // namespace cmpost
