#include "config/officer_settings.h"

#include "tests/config/settings_file.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

TEST(OfficerSettings, AreReadWithAccountAndCertificate) {
  const auto loaded = with_more(
      "[[officer]]\nname = \"alice\"\naccount = \"alice\"\ncertificate = \"alice.pem\"\n"
      "[[officer]]\nname = \"bob\"\naccount = \"bob2\"\n");
  ASSERT_TRUE(loaded) << ::testing::PrintToString(complaints(loaded));
  EXPECT_EQ(loaded->officers.at(0).certificate, "/etc/cmpost/alice.pem");
  EXPECT_EQ(loaded->officers.at(1).account, "bob2");
  EXPECT_EQ(loaded->officers.at(1).certificate, "");
}

TEST(OfficerSettings, EachHasAnAccount) {
  EXPECT_THAT(with_more("[[officer]]\nname = \"alice\"\n"), ComplainsOnce(HasSubstr("account")));
  EXPECT_THAT(with_more("[[officer]]\nname = \"a\"\naccount = \"x\"\n"
                        "[[officer]]\nname = \"b\"\naccount = \"x\"\n"),
              ComplainsOnce(HasSubstr("the account of 'a'")));
}

}  // namespace
}  // namespace cmpost
