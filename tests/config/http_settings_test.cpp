#include "config/transport/http_settings.h"

#include "config/settings.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Loaded parse_http(const std::string& keys) {
  return parse_settings(
      "[instance]\nname = \"grid\"\n[ra]\ncmp_certificate = \"m\"\ncmp_key = \"n\"\n"
      "upstream = \"above\"\n[[profile]]\nname = \"device\"\n[[channel]]\nname = \"above\"\n"
      "kind = \"http\"\ntrust = [\"ca.pem\"]\n" +
          keys,
      "/etc/cmpost/cmpost.toml");
}

const std::string kUpstream = "direction = \"upstream\"\n";
const std::string kUrl = "url = \"https://ca.example/.well-known/cmp/p/devices\"\n";

HttpSettings read_http(const std::string& keys) {
  const auto loaded = parse_http(kUpstream + keys);
  if (loaded) return *loaded->channels.at(0).http();
  for (const auto& complaint : loaded.error()) ADD_FAILURE() << to_string(complaint);
  return {};
}

std::string http_complaint(const std::string& keys) {
  const auto loaded = parse_http(keys);
  if (loaded) return "none";
  std::string texts;
  for (const auto& one : loaded.error()) texts += to_string(one) + "\n";
  return texts;
}

TEST(HttpConfiguration, NeedsAUrlAndHasDefaultsForTheRest) {
  const auto http = read_http(kUrl);
  EXPECT_TRUE(http.url.tls);
  EXPECT_EQ(http.url.host, "ca.example");
  EXPECT_EQ(http.url.port, 443);
  EXPECT_EQ(http.url.path, "/.well-known/cmp/p/devices");
  EXPECT_EQ(http.on_unknown, OnUnknown::repeat);
  EXPECT_EQ(http.sessions, 4U);
  EXPECT_EQ(http.connect_limit, 10s);
  EXPECT_EQ(http.time_limit, 60s);
  EXPECT_EQ(http.lifetime, 120h);
}

TEST(HttpConfiguration, AUrlIsKeptAsItIsWritten) {
  for (const std::string url :
       {"http://ca.example/pkix/", "https://[::1]:8443/a?b=c%20d&e=/f", "http://10.0.0.1:8080/",
        "https://ca_1.example/ejbca/publicweb/cmp/alias"}) {
    EXPECT_EQ(to_string(read_http("url = \"" + url + "\"\n").url), url);
  }
}

TEST(HttpConfiguration, ReadsItsTlsAndItsLimits) {
  const auto http =
      read_http(kUrl +
                "tls = { ca = \"ca.pem\", certificate = \"me.pem\", key = \"me.key\", "
                "key_password_file = \"pw\" }\nsessions = 1\nconnect_limit = \"2s\"\n"
                "time_limit = \"5m\"\nlifetime = \"1h\"\non_unknown = \"hold\"\n");
  EXPECT_EQ(http.tls.ca, "/etc/cmpost/ca.pem");
  EXPECT_EQ(http.tls.certificate, "/etc/cmpost/me.pem");
  EXPECT_EQ(http.tls.key, "/etc/cmpost/me.key");
  EXPECT_EQ(http.tls.key_password_file, "/etc/cmpost/pw");
  EXPECT_EQ(http.on_unknown, OnUnknown::hold);
  EXPECT_EQ(http.time_limit, 5min);
}

TEST(HttpConfiguration, IsForAskingAnotherCaOnly) {
  for (const std::string direction : {"", "direction = \"downstream\"\n"}) {
    EXPECT_THAT(http_complaint(direction + kUrl), HasSubstr("direction = \"upstream\""));
  }
}

TEST(HttpConfiguration, EachMistakeIsNamed) {
  const auto with = [](const std::string& keys) { return http_complaint(kUpstream + keys); };
  EXPECT_THAT(with(""), HasSubstr("/.well-known/cmp"));
  EXPECT_THAT(with("url = \"ftp://h/x\"\n"), HasSubstr("https://"));
  EXPECT_THAT(with("url = \"https://h\"\n"), HasSubstr("no path"));
  EXPECT_THAT(with("url = \"https://h?x=/\"\n"), HasSubstr("no path"));
  EXPECT_THAT(with("url = \"https:///x\"\n"), HasSubstr("names no host"));
  EXPECT_THAT(with("url = \"https://u:secret@h/x\"\n"), HasSubstr("no login"));
  EXPECT_THAT(with("url = \"https://h:0/x\"\n"), HasSubstr("port"));
  EXPECT_THAT(with("url = \"https://h/x#y\"\n"), HasSubstr("a URL cannot have"));
  EXPECT_THAT(with("url = \"https://h/a b\"\n"), HasSubstr("a URL cannot have"));
  EXPECT_THAT(with(kUrl + "tls = { key = \"k\" }\n"), HasSubstr("belong together"));
  EXPECT_THAT(with(kUrl + "tls = { pins = [\"x\"] }\n"), HasSubstr("not a pin"));
  EXPECT_THAT(with("url = \"http://h/x\"\ntls = { ca = \"c\" }\n"), HasSubstr("without TLS"));
  EXPECT_THAT(with(kUrl + "sessions = 17\n"), HasSubstr("1 to 16"));
  EXPECT_THAT(with(kUrl + "on_unknown = \"forget\"\n"), HasSubstr("'on_unknown'"));
  EXPECT_THAT(with(kUrl + "login = {}\n"), HasSubstr("unknown key 'login'"));
}

}  // namespace
}  // namespace cmpost
