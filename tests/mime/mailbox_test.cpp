#include <gmock/gmock.h>

#include "mime/message_id.h"
#include "mime/read_mail.h"

namespace cmpost {

namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

TEST(Mailboxes, AnAddressWithOrWithoutANameIsOne) {
  const Mailbox expected{"depot7", "site.example"};
  for (const auto* value :
       {"depot7@site.example", " depot7@SITE.Example\t", "<depot7@site.example>",
        "Depot 7 <depot7@site.example>", "\"Depot, (7) <x@y>\" <depot7@site.example>",
        "J. Doe <depot7@site.example>", "=?utf-8?q?Depot_=C3=A4?= <depot7@site.example>",
        "\"a@good.example\" <depot7@site.example>"}) {
    EXPECT_THAT(read_mailbox(value), Optional(expected)) << value;
  }
}

TEST(Mailboxes, TheLocalPartKeepsItsCase) {
  EXPECT_THAT(read_mailbox("Depot.7+x@A-B.c"), Optional(Mailbox{"Depot.7+x", "a-b.c"}));
}

// What mimetic, and others, take for an address.
TEST(Mailboxes, EverythingElseIsNone) {
  for (const auto* value : {"",
                            " ",
                            "<>",
                            "a",
                            "@",
                            "a@",
                            "@b",
                            "good@corp@evil",
                            "<@r1,@r2:a@b>",
                            "<@r1:a@b>",
                            "group: a@b;",
                            "group:;",
                            "a@b, c@d",
                            "a@b,",
                            "<a@b> <c@d>",
                            "a@b <c@d>",
                            "a@b (Name)",
                            "(Name) a@b",
                            "Name (x) <a@b>",
                            "<a@b> x",
                            "<a@b",
                            "a@b>",
                            "<<a@b>>",
                            "a @b",
                            "a@ b",
                            "a@b c",
                            "a..b@c",
                            ".a@b",
                            "a.@b",
                            "a@b..c",
                            "a@.b",
                            "a@b.",
                            "a@-b",
                            "a@b-",
                            "a@[1.2.3.4]",
                            "\"a b\"@c",
                            "\"a\"@c",
                            "a@b_c",
                            "\xc3\xa4@b",
                            "a@\xc3\xa4.b",
                            "\xc3\xa4 <a@b>",
                            "Name\r\n <a@b>",
                            "a@b\r\nBcc: c@d",
                            "a,b <c@d>",
                            "a;b@c",
                            "a:b@c",
                            "\"open <a@b>",
                            "x\\y <a@b>",
                            "a@b\x7f"}) {
    EXPECT_THAT(read_mailbox(value), Eq(std::nullopt)) << value;
  }
}

TEST(Mailboxes, NulIsNotSkipped) {
  EXPECT_THAT(read_mailbox(std::string_view("a\0@b", 4)), Eq(std::nullopt));
  EXPECT_THAT(read_mailbox(std::string_view("a@b\0", 4)), Eq(std::nullopt));
}

TEST(Mailboxes, LengthsAreLimited) {
  const std::string label(63, 'd');
  const std::string domain = label + "." + label + "." + label;
  EXPECT_TRUE(read_mailbox(std::string(62, 'l') + "@" + domain));   // 254 octets
  EXPECT_FALSE(read_mailbox(std::string(63, 'l') + "@" + domain));  // 255
  EXPECT_FALSE(read_mailbox(std::string(65, 'l') + "@b"));
  EXPECT_FALSE(read_mailbox("a@" + label + "d"));
}

TEST(Mailboxes, TheSameNameInAnotherDomainIsAnotherMailbox) {
  EXPECT_NE(*read_mailbox("a@good"), *read_mailbox("a@evil"));
}

TEST(MessageIds, AreOneWordInAngleBrackets) {
  for (const auto* id : {"<a@b>", "<1.2$x+y/z=@host.example>", "<a@[1.2.3.4]>", "<a:b@c>"}) {
    EXPECT_TRUE(is_message_id(id)) << id;
  }
  for (const auto* id : {"", "a@b", "<>", "<@b>", "<a@>", "<ab>", "<a@b@c>", "<a b@c>", "<a@b",
                         "<<a@b>>", "<a\r\n@b>", "<\"a\"@b>", "<a@b>x", "<a@b><c@d>", "<\xe4@b>"}) {
    EXPECT_FALSE(is_message_id(id)) << id;
  }
  EXPECT_TRUE(is_message_id("<" + std::string(246, 'a') + "@b>"));
  EXPECT_FALSE(is_message_id("<" + std::string(247, 'a') + "@b>"));
}

TEST(MessageIds, TheLastWellFormedOnesOfAFieldCount) {
  EXPECT_THAT(read_message_ids("<1@a> junk <2 @a>\t<3@a><4@a> <", 10),
              ElementsAre("<1@a>", "<3@a>", "<4@a>"));
  EXPECT_THAT(read_message_ids("<1@a> <2@a> <3@a>", 2), ElementsAre("<2@a>", "<3@a>"));
  EXPECT_THAT(read_message_ids("", 2), ElementsAre());
}

}  // namespace

}  // namespace cmpost
