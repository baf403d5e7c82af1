#include "config/transport/sftp_settings.h"

#include "config/settings.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;

Loaded parse_sftp(const std::string& keys) {
  return parse_settings(
      "[instance]\nname = \"grid\"\n[ca]\ncertificate = \"c\"\nkey = \"k\"\ncmp_certificate = "
      "\"m\"\ncmp_key = \"n\"\n[[profile]]\nname = \"device\"\n[[channel]]\nname = \"factory\"\n"
      "kind = \"sftp\"\n" +
          keys,
      "/etc/cmpost/cmpost.toml");
}

const std::string kSftpFetch = "fetch = \"sftp://cmpost@drop.example:2222/upload/\"\n";
const std::string kSftpSend = "send = \"sftp://cmpost@drop.example:2222/download\"\n";
const std::string kSftpLogin = "login = { key_file = \"id\" }\n";
const std::string kSftpKnown = "known_hosts = \"known\"\n";
const std::string kSftpUsual = kSftpFetch + kSftpSend + kSftpLogin + kSftpKnown;

SftpSettings read_sftp(const std::string& keys) {
  const auto loaded = parse_sftp(keys);
  if (loaded) return *loaded->channels.at(0).sftp();
  for (const auto& complaint : loaded.error()) ADD_FAILURE() << to_string(complaint);
  return {};
}

std::string sftp_complaint(const std::string& keys) {
  const auto loaded = parse_sftp(keys);
  if (loaded) return "none";
  std::string texts;
  for (const auto& one : loaded.error()) texts += to_string(one) + "\n";
  return texts;
}

TEST(SftpConfiguration, HasDefaultsThatAreSafe) {
  const auto sftp = read_sftp(kSftpUsual);
  EXPECT_EQ(sftp.fetch, (SftpUrl{"cmpost", "drop.example", 2222, "/upload"}));
  EXPECT_EQ(sftp.send.path, "/download");
  EXPECT_EQ(sftp.login.key_file, "/etc/cmpost/id");
  EXPECT_EQ(sftp.known_hosts, "/etc/cmpost/known");
  EXPECT_EQ(sftp.ledger, "/etc/cmpost/state/factory.taken");
  EXPECT_EQ(sftp.sessions, 4U);
  EXPECT_EQ(sftp.ready, SftpReady::stable);
  EXPECT_EQ(sftp.after, SftpAfter::move);
}

TEST(SftpConfiguration, PathsMayStartAtTheUsersHome) {
  const auto sftp = read_sftp("fetch = \"sftp://a@[::1]/~/up\"\nsend = \"sftp://a@h/~/down/x\"\n" +
                              kSftpLogin + kSftpKnown);
  EXPECT_EQ(sftp.fetch, (SftpUrl{"a", "::1", 22, "up"}));
  EXPECT_EQ(sftp.send.path, "down/x");
}

TEST(SftpConfiguration, TheUserMayStandInTheLogin) {
  const auto sftp = read_sftp(
      "fetch = \"sftp://h/in\"\nsend = \"sftp://b@h/out\"\n"
      "login = { user = \"a\", password_file = \"p\" }\n" +
      kSftpKnown);
  EXPECT_EQ(sftp.fetch.user, "a");
  EXPECT_EQ(sftp.send.user, "b");
}

TEST(SftpConfiguration, EachMistakeIsNamedWithItsPlace) {
  const auto rest = kSftpSend + kSftpLogin + kSftpKnown;
  EXPECT_THAT(sftp_complaint("fetch = \"ftp://h/in\"\n" + rest), HasSubstr("sftp://"));
  EXPECT_THAT(sftp_complaint("fetch = \"sftp://u@h\"\n" + rest), HasSubstr("no directory"));
  EXPECT_THAT(sftp_complaint("fetch = \"sftp://u:secret@h/in\"\n" + rest),
              HasSubstr("password does not belong"));
  EXPECT_THAT(sftp_complaint("fetch = \"sftp://u@-oProxyCommand/in\"\n" + rest),
              HasSubstr("names no host"));
  EXPECT_THAT(sftp_complaint("fetch = \"sftp://u@h:99999/in\"\n" + rest), HasSubstr("port"));
  EXPECT_THAT(sftp_complaint("fetch = \"sftp://cmpost@drop.example:2222/download\"\n" + rest),
              HasSubstr("answers would be taken in"));
  EXPECT_THAT(sftp_complaint(kSftpFetch + kSftpSend + kSftpKnown),
              HasSubstr("neither key nor password"));
  EXPECT_THAT(sftp_complaint(kSftpFetch + kSftpSend + kSftpLogin), HasSubstr("'known_hosts'"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "sessions = 17\n"), HasSubstr("1 to 16"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "after = \"burn\"\n"), HasSubstr("'after'"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "done_folder = \"../x\"\n"), HasSubstr("plain name"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "suffix = \"taken\"\n"), HasSubstr("dot"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "name_template = \"x\"\n"), HasSubstr("same name"));
  EXPECT_THAT(sftp_complaint(kSftpUsual + "in = \"x\"\n"), HasSubstr("unknown key 'in'"));
}

}  // namespace
}  // namespace cmpost
