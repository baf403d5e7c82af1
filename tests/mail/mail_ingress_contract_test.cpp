// The contract of every Ingress, on a Maildir.
#include <unistd.h>

#include "mail/mail_ingress.h"
#include "mail/maildir_source.h"
#include "tests/mail/dovecot.h"
#include "tests/support/ingress_contract.h"
#include "tests/support/mail_of_a_person.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

class MaildirSite {
 public:
  explicit MaildirSite(IngressSurroundings& around) : around_(around) {
    around.settings.transport = MailSettings{};
    auto& settings = *around.settings.mail();
    settings.from = "pki@example.com";
    settings.fetch = {"maildir", "", 0, around.directory / "Maildir"};
    settings.poll = settle;
    for (const auto* part : {"/new", "/cur", "/tmp"}) {
      std::filesystem::create_directories(settings.fetch.path + part);
    }
  }
  std::unique_ptr<Ingress> make() {
    return std::make_unique<MailIngress>(
        around_.settings, std::make_unique<MaildirSource>(*around_.settings.mail(), around_.wall),
        around_.queue, around_.steady,
        [](const DeliveryReport&, const Bytes&) { return Result<void>(); });
  }
  void offer(int number) { deliver(contract_request(number)); }
  void offer_nonsense() { deliver("no request"); }

  static constexpr Duration settle = 1min;

 private:
  void deliver(const std::string& message) {
    OutgoingMail mail;
    mail.from = read_mailbox("dev@site.example").value();
    mail.to = read_mailbox("pki@example.com").value();
    mail.subject = "request";
    mail.message_id = "<1@site.example>";
    mail.text = "a request";
    mail.file_name = "dev1.pki";
    mail.message = to_bytes(message);
    Dovecot::deliver_into(around_.settings.mail()->fetch.path, mail_of_a_person(mail), ++delivered_,
                          ::getuid(), ::getgid());
  }

  IngressSurroundings& around_;
  int delivered_ = 0;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Maildir, IngressContract, MaildirSite);

}  // namespace
}  // namespace cmpost
