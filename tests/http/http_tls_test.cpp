// HTTPS, against the TLS of another program.
#include <cstdio>
#include <thread>

#include "tests/http/child_process.h"
#include "tests/http/http_channel_under_test.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// tests/http/fixtures/tls_peer.py
class TlsPeer {
 public:
  explicit TlsPeer(const std::string& more = "") {
    const auto script = std::string(CMPOST_TEST_DATA) + "/../http/fixtures/tls_peer.py";
    process_ =
        ::popen(("exec python3 " + script + " " + directory_.path() + " " + more).c_str(), "we");
    for (int i = 0; i < 3000 && !exists(directory_ / "port"); ++i) {
      std::this_thread::sleep_for(10ms);
    }
    const auto port = read_file(directory_ / "port", 10);
    EXPECT_THAT(port, IsOk());
    port_ = port ? std::stoi(std::string(text_of(*port))) : 1;
    EXPECT_THAT(
        write_file(directory_ / "password", view_of("open sesame\n"), 0600, IfExists::replace),
        IsOk());
  }
  ~TlsPeer() {
    if (process_ != nullptr) ::pclose(process_);
  }
  TlsPeer(const TlsPeer&) = delete;

  HttpUrl url(const std::string& host = "localhost") const { return {true, host, port_, "/cmp"}; }
  std::string file(const std::string& name) const { return directory_ / name; }
  HttpTlsSettings with_our_certificate() const {
    return {file("ca.pem"), {}, file("client.pem"), file("client.key"), file("password")};
  }

 private:
  TemporaryDirectory directory_;
  FILE* process_ = nullptr;
  int port_ = 0;
};

class HttpsTest : public HttpEgressTest {
 protected:
  static const TlsPeer& peer() {
    static const TlsPeer peer;
    return peer;
  }
  const std::string message_ = answer_for("itself");
};

TEST_F(HttpsTest, AServerThatIsTrustedIsAsked) {
  http().url = peer().url();
  http().tls.ca = peer().file("ca.pem");
  EXPECT_THAT(connect_by_http(http()), IsOk());
  const auto deliveries = send(message_);
  EXPECT_EQ(deliveries.each.at(0).what, What::sent) << deliveries.each.at(0).detail;
  EXPECT_THAT(answers(), ::testing::ElementsAre(message_));
}

TEST_F(HttpsTest, NothingIsSentToAnotherHostOrAStranger) {
  http().on_unknown = OnUnknown::hold;
  http().tls.ca = peer().file("ca.pem");
  http().url = peer().url("127.0.0.1");
  EXPECT_THAT(connect_by_http(http()), Fails(HasSubstr("not trusted")));
  auto deliveries = send(message_);
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("its certificate is not trusted"));
  EXPECT_EQ(deliveries.trouble->recovery, Recovery::hold);
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
  http().url = peer().url();
  http().tls.ca = "";
  start();
  deliveries = send(message_, 2);
  ASSERT_TRUE(deliveries.trouble);
  EXPECT_THAT(deliveries.trouble->what, HasSubstr("its certificate is not trusted"));
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred) << "it has certainly not arrived";
}

TEST_F(HttpsTest, AKeyThatIsNotPinnedIsRefused) {
  http().url = peer().url();
  http().tls.ca = peer().file("ca.pem");
  http().tls.pins = {"sha256//" + to_base64(Bytes(32, 1))};
  EXPECT_THAT(connect_by_http(http()), Fails(HasSubstr("pinned")));
}

TEST_F(HttpsTest, APeerMayWantACertificateOfOurs) {
  const TlsPeer wanting("want-certificate");
  http().url = wanting.url();
  http().tls = wanting.with_our_certificate();
  auto deliveries = send(message_);
  EXPECT_EQ(deliveries.each.at(0).what, What::sent) << deliveries.each.at(0).detail;
  http().tls = {wanting.file("ca.pem"), {}, "", "", ""};
  start();
  deliveries = send(message_, 2);
  EXPECT_EQ(deliveries.each.at(0).what, What::deferred);
}

TEST_F(HttpsTest, AWrongPasswordOfOurKeyIsSaidAndNobodyIsAskedForIt) {
  http().url = peer().url();
  http().tls = peer().with_our_certificate();
  http().tls.key_password_file = "";
  EXPECT_THAT(connect_by_http(http()), Fails(HasSubstr("our own certificate and key")));
  http().tls.key_password_file = peer().file("missing");
  EXPECT_THAT(connect_by_http(http()), Fails(HasSubstr("missing")));
}

}  // namespace
}  // namespace cmpost
