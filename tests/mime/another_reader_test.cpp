// Python's email package reads the mails that we write.
#include <gmock/gmock.h>

#include <cstdio>

#include "base/files.h"
#include "mime/write_mail.h"
#include "tests/mime/mail_files.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

namespace {

using ::testing::HasSubstr;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    output.push_back(static_cast<char>(c));
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

std::string read_by_python(const OutgoingMail& mail) {
  const TemporaryDirectory directory;
  const auto raw = write_mail(mail);
  EXPECT_THAT(raw, IsOk());
  const auto path = directory / "mail.eml";
  EXPECT_THAT(write_file(path, *raw, 0600, IfExists::fail), IsOk());
  return output_of("python3 " + std::string(CMPOST_TEST_DATA) + "/../mime/read_with_python.py " +
                   path);
}

OutgoingMail mail_to_read() {
  OutgoingMail mail;
  mail.from = {"pki", "ca.example"};
  mail.from_name = "Grid CA \"north\"";
  mail.to = {"depot7", "site.example"};
  mail.subject = "Answer";
  mail.message_id = "<out.1@ca.example>";
  mail.references = {"<0@site.example>", "<1@site.example>"};
  mail.date = *from_iso8601("2026-02-03T04:05:06Z");
  mail.text = "plain text\n";
  mail.file_name = "dev1.ip.pki";
  mail.message = read_mail_file("sample.der");
  return mail;
}

TEST(AnotherReader, SeesWhatWasMeant) {
  const auto mail = mail_to_read();
  const auto seen = read_by_python(mail);
  EXPECT_THAT(seen, HasSubstr("from pki@ca.example\n"));
  EXPECT_THAT(seen, HasSubstr("name Grid CA \"north\"\n"));
  EXPECT_THAT(seen, HasSubstr("to depot7@site.example\n"));
  EXPECT_THAT(seen, HasSubstr("subject Answer\n"));
  EXPECT_THAT(seen, HasSubstr("date 2026-02-03T04:05:06+00:00\n"));
  EXPECT_THAT(seen, HasSubstr("id <out.1@ca.example>\n"));
  EXPECT_THAT(seen, HasSubstr("automatic auto-replied\n"));
  EXPECT_THAT(seen, HasSubstr("references <0@site.example> <1@site.example>\n"));
  EXPECT_THAT(seen, HasSubstr("defects []\n"));
  EXPECT_THAT(seen, HasSubstr("text 'plain text\\n'\n"));
  EXPECT_THAT(seen, HasSubstr("attachment application/pkixcmp dev1.ip.pki\n"));
  EXPECT_THAT(seen, HasSubstr("content " + to_hex(mail.message) + "\n"));
}

TEST(AnotherReader, SeesTextBeyondAscii) {
  auto mail = mail_to_read();
  mail.from_name = "Zertifikate f\xc3\xbcr \xe2\x82\xac";
  mail.subject = "Antr\xc3\xa4ge " + std::string(90, 'x') + " =?utf-8?q?no?= \xe2\x82\xac";
  mail.text =
      "Gr\xc3\xbc\xc3\x9f"
      "e = \n.\nFrom me\n";
  const auto seen = read_by_python(mail);
  EXPECT_THAT(seen, HasSubstr("name " + mail.from_name + "\n"));
  EXPECT_THAT(seen, HasSubstr("subject " + mail.subject + "\n"));
  EXPECT_THAT(seen, HasSubstr("text 'Gr\xc3\xbc\xc3\x9f"
                              "e = \\n.\\nFrom me\\n'\n"));
  EXPECT_THAT(seen, HasSubstr("defects []\n"));
}

}  // namespace

}  // namespace cmpost
