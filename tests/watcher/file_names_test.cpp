#include "watcher/file_names.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

TEST(FileNames, UnfinishedAndHiddenFilesAreLeftAlone) {
  for (const auto* name :
       {".hidden.pki", "a.tmp", "a.PART", "a.filepart", "a.pki.crdownload", "~a.pki", "."}) {
    EXPECT_TRUE(is_ignored(name)) << name;
  }
  for (const auto* name : {"a.pki", "a", "a.part.pki", "tmp", "a~"})
    EXPECT_FALSE(is_ignored(name)) << name;
}

TEST(FileNames, RequestsAreKnownByTheirEndingInAnyCase) {
  for (const auto* name : {"a.pki", "a.PKI", "a.Der", "a.cmp", "a.b.pki"}) {
    EXPECT_TRUE(is_request_name(name)) << name;
  }
  for (const auto* name : {"a.txt", "pki", "a.pki.txt", "a.pk"})
    EXPECT_FALSE(is_request_name(name)) << name;
}

TEST(FileNames, TheStemHasNoExtension) {
  EXPECT_EQ(stem_of("dev1.pki"), "dev1");
  EXPECT_EQ(stem_of("dev.1.pki"), "dev.1");
  EXPECT_EQ(stem_of("dev1"), "dev1");
  EXPECT_EQ(stem_of("dev1."), "dev1");
  EXPECT_EQ(stem_of("a.this-is-no-extension-but-a-part-of-it"),
            "a.this-is-no-extension-but-a-part-of-it");
}

TEST(FileNames, ASecondFileOfANameIsMarkedBeforeItsExtension) {
  EXPECT_EQ(marked_name("dev1.pki", "1"), "dev1-1.pki");
  EXPECT_EQ(marked_name("dev1", "1"), "dev1-1");
  EXPECT_EQ(marked_name("dev1.pki", ""), "dev1.pki");
}

TEST(FileNames, AWholeNameIsNotCut) {
  EXPECT_EQ(whole_name(std::string(255, '\x01')).size(), 4 * 255U);
}

TEST(FileNames, TheLongestNamesKeepBothEnds) {
  const auto longest = std::string(251, 'x') + ".pki";
  EXPECT_EQ(marked_name(longest, ""), longest);
  EXPECT_EQ(marked_name(longest, "1").size(), 255U);
  EXPECT_TRUE(marked_name(std::string(247, 'x') + "0815.pki", "1").ends_with("0815-1.pki"));
  EXPECT_EQ(marked_name(longest, "1", 11).size(), 244U);
  std::string umlauts;
  for (int i = 0; i < 125; ++i) umlauts += "\xc3\xa4";
  const auto cut = marked_name(umlauts + ".pki", "1");
  EXPECT_EQ(cut.size(), 255U);
  EXPECT_TRUE(is_utf8(cut));
}

}  // namespace
}  // namespace cmpost
