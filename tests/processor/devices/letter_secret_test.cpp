#include "processor/devices/letter_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

TEST(LetterSecret, HasSixGroupsOfFiveOfCrockfordsCharacters) {
  SystemRandom random;
  EXPECT_THAT(in_groups_of_five(make_letter_secret(random)),
              MatchesRegex("([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]{5}"));
}

TEST(LetterSecret, IsAnotherOneEachTime) {
  SystemRandom random;
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) all.insert(make_letter_secret(random));
  EXPECT_EQ(all.size(), 1000U);
}

TEST(LetterSecret, IsReadAsPeopleTypeIt) {
  SystemRandom random;
  for (int i = 0; i < 100; ++i) {
    const auto made = make_letter_secret(random);
    auto typed = " " + in_groups_of_five(made) + "\n";
    for (auto& c : typed) {
      if (c == '0') c = 'o';
      if (c == '1') c = 'l';
      if (c == '-') c = ' ';
    }
    EXPECT_EQ(read_letter_secret(typed).secret, made);
  }
}

TEST(LetterSecret, FindsEveryWrongCharacterAndItsGroup) {
  SystemRandom random;
  const auto made = make_letter_secret(random);
  for (std::size_t i = 0; i < made.size(); ++i) {
    for (const char c : std::string("0123456789ABCDEFGHJKMNPQRSTVWXYZ")) {
      if (c == made[i]) continue;
      auto typed = made;
      typed[i] = c;
      const auto read = read_letter_secret(typed);
      const int group = static_cast<int>(i < 25 ? i / 5 : i - 25) + 1;
      ASSERT_THAT(read.wrong_groups, ElementsAre(group)) << i << c;
      ASSERT_EQ(read.secret, "");
    }
  }
}

TEST(LetterSecret, FindsTwoThatHaveChangedPlacesInAGroup) {
  SystemRandom random;
  const auto made = make_letter_secret(random);
  for (std::size_t i = 0; i < 25; ++i) {
    for (std::size_t j = i + 1; j < (i / 5 + 1) * 5; ++j) {
      if (made[i] == made[j]) continue;
      auto typed = made;
      std::swap(typed[i], typed[j]);
      ASSERT_THAT(read_letter_secret(typed).wrong_groups, ElementsAre(static_cast<int>(i / 5) + 1));
    }
  }
}

TEST(LetterSecret, SaysWhatIsMissing) {
  EXPECT_THAT(read_letter_secret("ABCDE").fault,
              ::testing::HasSubstr("5 characters instead of 30"));
  EXPECT_THAT(read_letter_secret("ABCDU").fault, ::testing::HasSubstr("character 5"));
}

}  // namespace
}  // namespace cmpost
