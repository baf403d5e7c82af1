#include "carrier/hash_list.h"

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

const std::string kDigest = to_hex(sha256(view_of("one")));

TEST(HashList, IsWhatSha256sumWrites) {
  const auto list = parse_hash_list(view_of("# by hand\n" + kDigest + "  dev1.pki\r\n\n" + kDigest +
                                            " *./two words.pki\n"))
                        .value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].name, "dev1.pki");
  EXPECT_EQ(list[0].sha256, sha256(view_of("one")));
  EXPECT_EQ(list[1].name, "two words.pki");
}

TEST(HashList, AListThatIsCutOffOrWrongSaysWhere) {
  const auto refuse = [](const std::string& text) { return parse_hash_list(view_of(text)); };
  EXPECT_THAT(refuse(kDigest + "  dev1.pki"), Fails(HasSubstr("line 1: the list is cut off")));
  EXPECT_THAT(refuse("\n" + kDigest + " dev1.pki\n"), Fails(HasSubstr("line 2")));
  EXPECT_THAT(refuse(kDigest.substr(1) + "   dev1.pki\n"), Fails(HasSubstr("line 1")));
  for (const auto* name : {"../a", "/etc/passwd", ".hidden", "a/b", "a\tb"}) {
    EXPECT_THAT(refuse(kDigest + "  " + name + "\n"), Fails(HasSubstr("no name"))) << name;
  }
  EXPECT_THAT(refuse(kDigest + "  a\n" + kDigest + "  a\n"), Fails(HasSubstr("twice")));
  EXPECT_THAT(refuse(kDigest + "  a\n" + kDigest + "  ./a\n"), Fails(HasSubstr("twice")));
  EXPECT_THAT(refuse("# nothing\n"), Fails(HasSubstr("names no file")));
  std::string many;
  for (std::size_t i = 0; i <= kMostListedFiles; ++i)
    many += kDigest + "  f" + std::to_string(i) + "\n";
  EXPECT_THAT(refuse(many), Fails(HasSubstr("too many")));
  EXPECT_THAT(refuse(std::string(kLargestHashList + 1, '\n')), Fails(HasSubstr("too large")));
}

}  // namespace
}  // namespace cmpost
