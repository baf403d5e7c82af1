#include "app/fleet/letter_page.h"

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Letter letter_for(const std::string& name) {
  Letter letter;
  letter.device.name = name;
  letter.secret = "ABCDEFGHJKMNPQRSTVWXYZ01234567";
  return letter;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(LetterPage, HasAPageForEachDevice) {
  const auto page = letter_page({letter_for("gw-1"), letter_for("gw-2")}, {"grid", "", {}});
  EXPECT_EQ(count(page, "<section class=\"letter\">"), 2U);
  EXPECT_THAT(page, AllOf(HasSubstr("break-after: page"), HasSubstr("gw-1"), HasSubstr("gw-2")));
}

TEST(LetterPage, ShowsTheSecretInSixGroups) {
  const auto page = letter_page({letter_for("gw-1")}, {"grid", "", {}});
  for (const auto* group : {"ABCDE-", "FGHJK-", "MNPQR-", "STVWX-", "YZ012-", "34567"}) {
    EXPECT_THAT(page, HasSubstr(std::string(">") + group + "</span>"));
  }
  EXPECT_THAT(page, HasSubstr("without the dashes"));
}

TEST(LetterPage, TakesNothingFromARowForMarkup) {
  auto letter = letter_for("<b>\"x\"</b>");
  letter.device.site = "<script>";
  const auto page = letter_page({letter}, {"<i>", "", {}});
  EXPECT_THAT(page,
              AllOf(Not(HasSubstr("<b>\"")), Not(HasSubstr("<script>")), Not(HasSubstr("<i>"))));
}

TEST(LetterPage, FetchesNothing) {
  const auto page = letter_page({letter_for("gw-1")}, {"grid", std::string(64, 'a'), {}});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const auto* fetched : {"src=", "href=", "url(", "@import", "http:", "https:"}) {
    EXPECT_THAT(page, Not(HasSubstr(fetched)));
  }
  EXPECT_THAT(page, HasSubstr("aaaa aaaa"));
}

}  // namespace
}  // namespace cmpost
