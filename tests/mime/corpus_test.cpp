// The mails of tests/data/mail, each with what must become of it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "mime/read_mail.h"
#include "tests/mime/mail_files.h"
#include "tests/support/matchers.h"

namespace cmpost {

namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct ExpectedMail {
  std::string name, outcome, note;

  bool is_count() const { return outcome.find_first_not_of("0123456789") == std::string::npos; }
};

std::vector<ExpectedMail> expected_mails() {
  std::ifstream table(mail_file("expected.tsv"));
  std::vector<ExpectedMail> mails;
  for (std::string line; std::getline(table, line);) {
    std::istringstream columns(line);
    ExpectedMail mail;
    std::getline(columns, mail.name, '\t');
    std::getline(columns, mail.outcome, '\t');
    std::getline(columns, mail.note, '\t');
    mails.push_back(mail);
  }
  return mails;
}

TEST(MailCorpus, EveryMailComesOutAsTheTableSays) {
  const auto sample = read_mail_file("sample.der");
  for (const auto& expected : expected_mails()) {
    SCOPED_TRACE(expected.name);
    const auto mail = read_mail(read_mail_file(expected.name + ".eml"), {}, {});
    if (!expected.is_count()) {
      EXPECT_THAT(mail, Fails(HasSubstr(expected.outcome)));
      continue;
    }
    EXPECT_THAT(mail, IsOk());
    if (!mail) continue;
    EXPECT_THAT(mail->messages, SizeIs(std::stoul(expected.outcome)));
    if (expected.note.empty()) {
      EXPECT_THAT(mail->messages, Each(Field(&MailPart::content, sample)));
    }
  }
}

TEST(MailCorpus, HasAHundredMailsAndEachIsInTheTable) {
  const auto expected = expected_mails();
  EXPECT_THAT(expected, SizeIs(Ge(100)));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(mail_file(""))) {
    if (entry.path().extension() == ".eml") ++files;
  }
  EXPECT_EQ(files, expected.size());
}

TEST(MailCorpus, NoMailCutShortBreaksTheReader) {
  for (const auto& expected : expected_mails()) {
    const auto octets = read_mail_file(expected.name + ".eml");
    const auto step = octets.size() / 50 + 1;
    for (std::size_t size = 0; size < octets.size(); size += step) {
      const auto mail = read_mail(ByteView(octets).first(size), {}, {});
      EXPECT_TRUE(mail || !mail.error().what.empty());
    }
  }
}

}  // namespace

}  // namespace cmpost
