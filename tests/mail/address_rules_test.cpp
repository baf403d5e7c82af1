#include "mail/address_rules.h"

#include <gmock/gmock.h>

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

Mailbox address(const std::string& text) { return read_mailbox(text).value(); }

TEST(AddressPattern, TheStarStandsForALocalPartOrForLabels) {
  const auto mailbox = address("dev@site-7.example");
  EXPECT_TRUE(matches("dev@site-7.example", mailbox));
  EXPECT_TRUE(matches("DEV@Site-7.example", mailbox));
  EXPECT_TRUE(matches("*@site-7.example", mailbox));
  EXPECT_TRUE(matches("*@*.example", mailbox));
  EXPECT_FALSE(matches("other@site-7.example", mailbox));
  EXPECT_FALSE(matches("*@example", mailbox));
  EXPECT_FALSE(matches("*@*.site-7.example", mailbox));
  EXPECT_FALSE(matches("*@evilsite-7.example", mailbox));
  EXPECT_FALSE(matches("*@*.example", address("dev@example")));
}

TEST(SenderRefusal, WithoutRulesEverybodyMayWrite) {
  EXPECT_EQ(sender_refusal({}, {}), std::nullopt);
}

TEST(SenderRefusal, TheListIsForSingleStrictAddresses) {
  MailSettings settings;
  settings.senders = {"*@good.example"};
  IncomingMail mail;
  EXPECT_THAT(sender_refusal(mail, settings), Optional(HasSubstr("single plain address")));
  mail.from = address("a@good.example");
  EXPECT_EQ(sender_refusal(mail, settings), std::nullopt);
  mail.from = address("a@evil.example");
  EXPECT_THAT(sender_refusal(mail, settings), Optional(HasSubstr("a@evil.example")));
}

bool vouched(std::vector<std::string> results, const char* from = "a@site.example") {
  return is_authenticated(results, "mx.example.com", address(from));
}

TEST(AuthenticationResults, PassForTheSendersDomainCounts) {
  EXPECT_TRUE(vouched({"mx.example.com; dmarc=pass header.from=site.example"}));
  EXPECT_TRUE(vouched({"MX.example.com 1; spf=fail; dkim=pass header.d=site.example"}));
  EXPECT_TRUE(vouched({"mx.example.com; spf=pass (ok) smtp.mailfrom=bounce@site.example"}));
}

TEST(AuthenticationResults, EverythingElseDoesNot) {
  EXPECT_FALSE(vouched({}));
  EXPECT_FALSE(vouched({"mx.example.com; none"}));
  EXPECT_FALSE(vouched({"mx.evil.example; dmarc=pass header.from=site.example"}));
  EXPECT_FALSE(vouched({"mx.example.com; dmarc=pass header.from=other.example"}));
  EXPECT_FALSE(vouched({"mx.example.com; dkim=pass header.d=evil.example"}));
  EXPECT_FALSE(vouched({"mx.example.com; spf=fail smtp.mailfrom=site.example"}));
  EXPECT_FALSE(vouched({"mx.example.com; x=y (; dmarc=pass header.from=site.example)"}));
  EXPECT_FALSE(vouched({"mx.example.com; dkim=pass smtp.mailfrom=a@site.example"}));
}

TEST(AuthenticationResults, OnlyTheTopmostOfOurServerCounts) {
  EXPECT_FALSE(vouched({"mx.example.com; dmarc=fail header.from=site.example",
                        "mx.example.com; dmarc=pass header.from=site.example"}));
  EXPECT_TRUE(vouched(
      {"other.example; dmarc=fail", "mx.example.com; dmarc=pass header.from=site.example"}));
}

IncomingMail mail_with_addresses() {
  IncomingMail mail;
  mail.from = address("a@site.example");
  mail.reply_to = address("b@site.example");
  mail.return_path = address("c@site.example");
  return mail;
}

TEST(ReplyAddress, FollowsTheOrderOfTheRules) {
  auto mail = mail_with_addresses();
  MailSettings settings;
  settings.from = "pki@example.com";
  EXPECT_THAT(reply_address(mail, settings), Optional(address("b@site.example")));
  mail.reply_to.reset();
  EXPECT_THAT(reply_address(mail, settings), Optional(address("c@site.example")));
  mail.return_path.reset();
  EXPECT_THAT(reply_address(mail, settings), Optional(address("a@site.example")));
  settings.reply = {ReplyRule::return_path};
  EXPECT_EQ(reply_address(mail, settings), std::nullopt);
}

TEST(ReplyAddress, ReplyToMayNotLeadElsewhereUnlessItIsListed) {
  auto mail = mail_with_addresses();
  mail.reply_to = address("thief@evil.example");
  MailSettings settings;
  EXPECT_THAT(reply_address(mail, settings), Optional(address("c@site.example")));
  settings.reply_to = {"*@evil.example"};
  EXPECT_THAT(reply_address(mail, settings), Optional(address("thief@evil.example")));
  settings.reply_to = {"*@other.example"};
  EXPECT_THAT(reply_address(mail, settings), Optional(address("c@site.example")));
}

TEST(ReplyAddress, IsNeverOurOwn) {
  MailSettings settings;
  settings.from = "pki@example.com";
  IncomingMail mail;
  mail.from = mail.reply_to = mail.return_path = address("PKI@example.com");
  EXPECT_EQ(reply_address(mail, settings), std::nullopt);
}

TEST(ReplyAddress, WhoIsRegisteredIsAnsweredThere) {
  MailSettings settings;
  settings.from = "pki@ca.example";
  settings.registered = {{"*@site.example", "site@hub.example"},
                         {"*@*.example", "all@hub.example"},
                         {"dev@site.example", "dev@hub.example"}};
  const auto answered = [&](const std::string& from) {
    IncomingMail mail;
    mail.from = read_mailbox(from);
    mail.reply_to = mail.from;
    const auto address = reply_address(mail, settings);
    return address ? address->text() : "nobody";
  };
  EXPECT_EQ(answered("DEV@site.example"), "dev@hub.example") << "a whole address counts first";
  EXPECT_EQ(answered("other@site.example"), "site@hub.example");
  EXPECT_EQ(answered("a@deep.er.example"), "all@hub.example");
  EXPECT_EQ(answered("a@elsewhere.test"), "a@elsewhere.test") << "the next rule";
  settings.reply = {ReplyRule::registered};
  EXPECT_EQ(answered("a@elsewhere.test"), "nobody");
  settings.registered = {{"*@elsewhere.test", "pki@ca.example"}};
  EXPECT_EQ(answered("a@elsewhere.test"), "nobody") << "never to ourselves";
}

}  // namespace
}  // namespace cmpost
