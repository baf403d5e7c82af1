#include "config/transport/mail_settings.h"

#include "config/settings.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kFetch = "fetch = \"imaps://pki@mail.example/Requests/CMP\"\n";
constexpr std::string_view kSend = "send = \"smtps://mail.example\"\n";
constexpr std::string_view kFrom = "from = \"pki@example.com\"\n";

Loaded parse_channel(const std::string& keys) {
  const std::string text =
      "[instance]\nname = \"grid\"\n[ca]\ncertificate = \"c\"\nkey = \"k\"\ncmp_certificate = "
      "\"m\"\n"
      "cmp_key = \"n\"\n[[profile]]\nname = \"device\"\n[[channel]]\nname = \"depots\"\n"
      "kind = \"mail\"\n" +
      keys;
  return parse_settings(text, "/etc/cmpost/cmpost.toml");
}

std::string usual() { return std::string(kFetch) + std::string(kSend) + std::string(kFrom); }

MailSettings read(const std::string& keys) {
  const auto loaded = parse_channel(keys);
  if (!loaded) {
    for (const auto& complaint : loaded.error()) ADD_FAILURE() << to_string(complaint);
    return {};
  }
  return *loaded->channels.at(0).mail();
}

std::string complaint(const std::string& keys) {
  const auto loaded = parse_channel(keys);
  if (loaded) return "none";
  std::string texts;
  for (const auto& one : loaded.error()) texts += to_string(one) + "\n";
  return texts;
}

TEST(MailSettings, AreReadFromTheUrls) {
  const auto mail = read(usual());
  EXPECT_EQ(mail.fetch.scheme, "imaps");
  EXPECT_EQ(mail.fetch.host, "mail.example");
  EXPECT_EQ(mail.fetch.port, 993);
  EXPECT_EQ(mail.fetch.path, "Requests/CMP");
  EXPECT_EQ(mail.login.user, "pki");
  EXPECT_EQ(mail.send.port, 465);
  EXPECT_EQ(mail.domain, "example.com");
  EXPECT_TRUE(mail.tls.required);
  EXPECT_TRUE(mail.idle);
}

TEST(MailSettings, EverySchemeHasItsPort) {
  const auto rest = std::string(kSend) + std::string(kFrom);
  EXPECT_EQ(read("fetch = \"imap://h\"\n" + rest).fetch.port, 143);
  EXPECT_EQ(read("fetch = \"imap://h\"\n" + rest).fetch.path, "INBOX");
  EXPECT_EQ(read("fetch = \"pop3://h\"\n" + rest).fetch.port, 110);
  EXPECT_EQ(read("fetch = \"pop3s://h:9995\"\n" + rest).fetch.port, 9995);
  EXPECT_EQ(read("fetch = \"imaps://[::1]:1143/A\"\n" + rest).fetch.host, "::1");
  EXPECT_EQ(read("fetch = \"maildir:/var/mail/pki\"\n" + rest).fetch.path, "/var/mail/pki");
}

TEST(MailSettings, LoginsMayDiffer) {
  const auto mail =
      read(usual() +
           "login = { user = \"in\", password_file = \"p\" }\n"
           "send_login = { user = \"out\", token_command = \"get-token\", mechanism = "
           "\"xoauth2\" }\n");
  EXPECT_EQ(mail.login.user, "in");
  EXPECT_EQ(mail.login.password_file, "/etc/cmpost/p");
  EXPECT_EQ(mail.send_login.user, "out");
  EXPECT_EQ(mail.send_login.mechanism, LoginSettings::Mechanism::xoauth2);
}

TEST(MailSettings, AUserInSendSharesTheSecretOfTheLogin) {
  const std::string from(kFrom);
  const auto urls = std::string(kFetch) + "send = \"smtps://out@mail.example\"\n" + from;
  const auto mail = read(urls + "login = { password_file = \"p\" }\n");
  EXPECT_EQ(mail.login.user, "pki");
  EXPECT_EQ(mail.send_login.user, "out");
  EXPECT_EQ(mail.send_login.password_file, "/etc/cmpost/p");
  EXPECT_THAT(complaint(urls), HasSubstr("the user 'out' and nothing to log in with"));
  EXPECT_EQ(read(urls + "send_login = { password_file = \"q\" }\n").send_login.user, "out");
  EXPECT_EQ(read(usual() + "login = { password_file = \"p\" }\n").send_login.user, "pki");
}

TEST(MailSettings, SmimeIsOffUntilItIsGiven) {
  EXPECT_FALSE(read(usual()).smime.enabled);
  const auto smime =
      read(usual() +
           "smime = { certificate = \"m.pem\", key = \"m.key\", trust = [\"t.pem\"], require = "
           "\"both\", sign_answers = true }\n")
          .smime;
  EXPECT_TRUE(smime.enabled);
  EXPECT_EQ(smime.certificate, "/etc/cmpost/m.pem");
  EXPECT_EQ(smime.key, "/etc/cmpost/m.key");
  EXPECT_THAT(smime.trust, ElementsAre("/etc/cmpost/t.pem"));
  EXPECT_EQ(smime.require, SmimeSettings::Require::both);
  EXPECT_TRUE(smime.sign_answers);
  EXPECT_TRUE(read(usual() + "smime = {}\n").smime.enabled);
}

TEST(MailSettings, SmimeThatCannotWorkIsFound) {
  const auto with = [](const std::string& keys) {
    return complaint(usual() + "smime = { " + keys + " }\n");
  };
  EXPECT_THAT(with("key = \"k\""), HasSubstr("belong together"));
  EXPECT_THAT(with("require = \"signed\""), HasSubstr("nobody in 'trust'"));
  EXPECT_THAT(with("require = \"encrypted\""), HasSubstr("without a 'key'"));
  EXPECT_THAT(with("sign_answers = true"), HasSubstr("without a 'key'"));
  EXPECT_THAT(with("require = \"maybe\""), HasSubstr("none"));
}

TEST(MailSettings, RegisteredAddressesKeepTheirOrder) {
  const auto mail = read(usual() +
                         "registered = { \"dev@site.example\" = \"a@site.example\", "
                         "\"*@*.example\" = \"b@site.example\" }\n");
  ASSERT_EQ(mail.registered.size(), 2U);
  EXPECT_EQ(mail.registered[0].sender, "dev@site.example");
  EXPECT_EQ(mail.registered[1].answers_to, "b@site.example");
  EXPECT_EQ(mail.reply.front(), ReplyRule::registered);
  EXPECT_THAT(complaint(usual() + "registered = { \"dev\" = \"a@b\" }\n"),
              HasSubstr("no plain addresses"));
  EXPECT_THAT(complaint(usual() + "registered = { \"a@b\" = \"*@b\" }\n"),
              HasSubstr("no plain addresses"));
  EXPECT_THAT(complaint(usual() + "registered = { \"a@b\" = \"c@b\" }\nreply = [\"from\"]\n"),
              HasSubstr("not used"));
}

TEST(MailSettings, TheRepliesFollowTheOrderGiven) {
  EXPECT_THAT(read(usual() + "reply = [\"from\", \"reply-to\"]\n").reply,
              ElementsAre(ReplyRule::from, ReplyRule::reply_to));
  EXPECT_THAT(complaint(usual() + "reply = [\"sender\"]\n"), HasSubstr("no place for an answer"));
}

TEST(MailSettings, MistakesAreNamedWithTheirPlace) {
  const auto rest = std::string(kSend) + std::string(kFrom);
  EXPECT_THAT(complaint("fetch = \"http://h\"\n" + rest),
              AllOf(HasSubstr("cmpost.toml:13"), HasSubstr("the scheme is not one of imaps")));
  EXPECT_THAT(complaint("fetch = \"imaps://u:secret@h\"\n" + rest),
              AllOf(HasSubstr("a password does not belong"), Not(HasSubstr("secret@"))));
  EXPECT_THAT(complaint("fetch = \"imaps://h:99999\"\n" + rest), HasSubstr("1 to 65535"));
  EXPECT_THAT(complaint("fetch = \"maildir:mail\"\n" + rest), HasSubstr("absolute path"));
  EXPECT_THAT(complaint(std::string(kFetch) + "send = \"imap://h\"\n" + std::string(kFrom)),
              HasSubstr("smtps, smtp"));
  EXPECT_THAT(complaint(std::string(kFetch) + std::string(kSend)), HasSubstr("'from'"));
  EXPECT_THAT(complaint(usual() + "senders = [\"everybody\"]\n"), HasSubstr("not an address"));
  EXPECT_THAT(complaint(usual() + "fetsh = \"x\"\n"), HasSubstr("fetch"));
  EXPECT_THAT(complaint(usual() + "login = { password_file = \"p\", token_command = \"t\" }\n"),
              HasSubstr("not both"));
}

TEST(MailSettings, WithoutTlsOnlyThisHostIsSpokenTo) {
  EXPECT_THAT(complaint(usual() + "tls = { required = false }\n"), HasSubstr("reads the password"));
  const auto local = read("fetch = \"imap://127.0.0.1:1143\"\nsend = \"smtp://localhost:2525\"\n" +
                          std::string(kFrom) + "tls = { required = false }\n");
  EXPECT_FALSE(local.tls.required);
}

TEST(MailSettings, HelloIsAFullNameOrAnAddress) {
  for (const std::string name : {"ca.example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    EXPECT_EQ(read(usual() + "hello = \"" + name + "\"\n").hello, name);
  }
  for (const std::string name : {"depot", "a b.example", "-a.example", "a..b", "192.0.2.1]", "[x]",
                                 "[2001:db8::1]", "a.example.", "a_b.example"}) {
    EXPECT_THAT(complaint(usual() + "hello = \"" + name + "\"\n"), HasSubstr("no full name"))
        << name;
  }
}

TEST(MailSettings, APinIsADigest) {
  EXPECT_THAT(complaint(usual() + "tls = { pins = [\"sha256//AAAA\"] }\n"), HasSubstr("not a pin"));
  EXPECT_EQ(read(usual() + "tls = { pins = [\"sha256//" + std::string(43, 'A') + "=\"] }\n")
                .tls.pins.size(),
            1U);
}

// The second channel of an RA.
Loaded parse_upstream(const std::string& keys) {
  return parse_settings(
      "[instance]\nname = \"grid\"\n[ra]\ncmp_certificate = \"m\"\ncmp_key = \"n\"\n"
      "upstream = \"above\"\n[[profile]]\nname = \"device\"\n[[channel]]\nname = \"above\"\n"
      "kind = \"mail\"\ndirection = \"upstream\"\ntrust = [\"ca.pem\"]\n" +
          usual() + keys,
      "/etc/cmpost/cmpost.toml");
}

std::string upstream_complaint(const std::string& keys) {
  const auto loaded = parse_upstream(keys);
  std::string texts;
  if (loaded) return texts;
  for (const auto& one : loaded.error()) texts += to_string(one) + "\n";
  return texts;
}

TEST(MailSettings, ToTheCaAboveOneWritesAtOneAddress) {
  EXPECT_THAT(upstream_complaint(""), HasSubstr("the mail address of the CA"));
  for (const std::string no : {"ca", "*@vault.example", "a@b@c", "ca@vault.example, b@c"}) {
    EXPECT_THAT(upstream_complaint("to = \"" + no + "\"\n"), HasSubstr("is not an address")) << no;
  }
  EXPECT_EQ(upstream_complaint("to = \"ca@vault.example\"\n"), "");
}

TEST(MailSettings, AnnouncementsGoToOneAddress) {
  const std::string announce = "announce = [\"crlann\"]\n";
  EXPECT_THAT(complaint(usual() + announce + "announce_to = \"*@site.example\"\n"),
              HasSubstr("is not an address"));
}

TEST(MailSettings, TheCaAboveIsOneSenderForAllWhoAsk) {
  EXPECT_EQ(read(usual()).per_sender_per_hour, 1000U);
  const std::string to = "to = \"ca@vault.example\"\n";
  const auto budget = [&](const std::string& more) {
    return parse_upstream(to + more)->channels.at(0).mail()->per_sender_per_hour;
  };
  EXPECT_EQ(budget(""), MailSettings::kMostPerHour);
  EXPECT_EQ(budget("per_sender_per_hour = 7\n"), 7U);
}

}  // namespace
}  // namespace cmpost
