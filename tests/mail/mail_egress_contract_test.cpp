// The contract of every Egress, on an SMTP server.
#include "mail/mail_egress.h"
#include "mime/read_mail.h"
#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/egress_contract.h"

namespace cmpost {
namespace {

// Each Egress has a server of its own, since one of these has one guest at a time.
class SmtpSite {
 public:
  explicit SmtpSite(EgressSurroundings& around) : around_(around) {
    around.settings.transport = MailSettings{};
    auto& settings = *around.settings.mail();
    settings.tls.required = false;
    settings.time_limit = std::chrono::seconds(20);
    settings.from = "pki@ca.test";
    settings.domain = "ca.test";
  }
  std::unique_ptr<Egress> make() {
    servers_.push_back(std::make_unique<ScriptedSmtpServer>());
    auto settings = *around_.settings.mail();
    settings.send = {"smtp", "127.0.0.1", servers_.back()->port(), "client.test"};
    return std::make_unique<MailEgress>(around_.settings.name, settings, Direction::downstream,
                                        "grid", Bytes(32, 7), around_.clock);
  }
  std::string address() const { return "ops@site.test"; }
  std::multiset<std::string> arrived() {
    std::set<std::string> different;
    for (const auto& server : servers_) {
      for (const auto& raw : server->mails()) different.insert(raw);
    }
    std::multiset<std::string> found;
    for (const auto& raw : different) {
      const auto mail = read_mail(view_of(raw), {}, {});
      EXPECT_THAT(mail, IsOk());
      if (!mail) continue;
      for (const auto& message : mail->messages) found.emplace(text_of(message.content));
    }
    return found;
  }
  void go_away() {
    for (const auto& server : servers_) {
      server->answer("greeting", {"421 4.3.2 closed\r\n"});
      server->hang_up();
    }
  }
  void come_back() {
    for (const auto& server : servers_) {
      server->forget("greeting");
      server->forget("mail");
    }
  }
  void refuse(const Lease&) {
    for (const auto& server : servers_) {
      server->answer("RCPT", {"250 2.1.5 Ok\r\n", "550 5.1.1 who\r\n", "250 2.1.5 Ok\r\n"});
    }
  }
  void cut() {
    for (const auto& server : servers_) server->answer("mail", {kHangUp});
  }

 private:
  EgressSurroundings& around_;
  std::vector<std::unique_ptr<ScriptedSmtpServer>> servers_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Smtp, EgressContract, SmtpSite);

}  // namespace
}  // namespace cmpost
