#include "app/instance/mail_channel.h"

#include <algorithm>

#include "app/instance/bounces.h"
#include "app/terminal/output.h"
#include "mail/mail_egress.h"
#include "mail/mail_ingress.h"
#include "mail/open_mail_source.h"
#include "mail/wire/smtp_sender.h"

namespace cmpost {
namespace {

constexpr auto kPatience = std::chrono::minutes(1);
constexpr auto kPause = std::chrono::seconds(1);
constexpr std::size_t kLookAt = 1000;     // mails
constexpr std::size_t kProbe = 64 << 10;  // octets: ours is small, whatever relays add

// No PKIMessage in it, so that a service which looks after the mailbox takes no notice.
std::string probe_mail(const MailSettings& mail, const std::string& id) {
  return "From: <" + mail.from + ">\r\nTo: <" + mail.from + ">\r\nSubject: CMPost test " + id +
         "\r\nMessage-ID: <" + id + "@" + mail.domain +
         ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
         "CMPost has sent this mail to itself to see whether it comes through.\r\n";
}

Result<void> send_probe(const ChannelSettings& channel, const Mailbox& own, const std::string& id) {
  const auto& mail = *channel.mail();
  SmtpSender sender(mail);
  const auto raw = probe_mail(mail, id);
  const auto outcome = sender.send(mail.from, own, id, view_of(raw));
  if (outcome.what == SmtpOutcome::What::accepted) return {};
  return hold("the mail was not sent: " + outcome.detail);
}

Result<std::optional<MailHandle>> find_probe(MailSource& source, const std::string& id,
                                             std::vector<std::string>& seen) {
  ASSIGN_OR_RETURN(const auto mails, source.list(kLookAt, {}));
  for (const auto& mail : mails) {
    if (mail.size > kProbe || std::ranges::find(seen, mail.arrival) != seen.end()) continue;
    ASSIGN_OR_RETURN(const auto raw, source.fetch(mail, kProbe, {}));
    if (raw && text_of(*raw).find(id) != std::string_view::npos) return mail;
    seen.push_back(mail.arrival);
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Ingress>> make_mail_ingress(const Surroundings& around,
                                                   const ChannelSettings& channel) {
  auto& [instance, spool, steady] = around;
  const auto& mail = *channel.mail();
  ASSIGN_OR_RETURN(auto source,
                   open_mail_source(mail, taken_file(channel), &instance.sure_clock()));
  ASSIGN_OR_RETURN(const auto key, bounce_key(instance));
  const auto bounced = [&replies = spool.replies(), key, name = channel.name](
                           const DeliveryReport& report, const Bytes& returned) {
    return note_bounce(replies, name, key, report, returned);
  };
  ASSIGN_OR_RETURN(auto smime,
                   of_settings(SmimeOpener::load(mail.smime, instance.clock(), channel.crls)));
  return std::make_unique<MailIngress>(channel, std::move(source), spool.requests(), steady,
                                       bounced, std::move(smime));
}

Result<std::unique_ptr<Egress>> make_mail_egress(const Surroundings& around,
                                                 const ChannelSettings& channel) {
  auto& instance = around.instance;
  const auto& mail = *channel.mail();
  ASSIGN_OR_RETURN(auto key, bounce_key(instance));
  ASSIGN_OR_RETURN(auto signer, of_settings(AnswerSigner::load(mail.smime)));
  return std::make_unique<MailEgress>(channel.name, mail, channel.direction,
                                      instance.settings().instance.name, std::move(key),
                                      instance.sure_clock(), std::move(signer));
}

std::string mail_host(const ChannelSettings& channel, Way way) {
  return way == Way::in ? channel.mail()->fetch.host : channel.mail()->send.host;
}

Result<void> log_in_by_mail(const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(const auto source, open_mail_source(*channel.mail()));
  if (auto connected = source->connect({}); !connected) {
    return failure(std::move(connected).error().within("fetch"));
  }
  SmtpSender sender(*channel.mail());
  if (auto willing = sender.ask_whether_mail_goes(); !willing) {
    return failure(std::move(willing).error().within("send"));
  }
  return {};
}

Result<std::string> send_to_itself(Instance& instance, const ChannelSettings& channel) {
  const auto own = read_mailbox(channel.mail()->from);
  if (!own) return hold("`from` of the channel is not a plain address");
  ASSIGN_OR_RETURN(const auto source, open_mail_source(*channel.mail()));
  const SteadyClock clock;
  const auto start = clock.now();
  const auto id = to_hex(instance.random().bytes(12));
  TRY(send_probe(channel, *own, id));
  std::vector<std::string> seen;
  while (clock.now() - start < kPatience) {
    ASSIGN_OR_RETURN(const auto found, find_probe(*source, id, seen));
    if (found) {
      TRY(source->file_away({&*found, 1}, MailPlace::done, {}));
      return "a mail to " + channel.mail()->from + " was sent and came back after " +
             in_words(clock.now() - start);
    }
    TRY(source->wait(kPause, {}));
  }
  return hold("the mail was sent, but has not come back within a minute",
              "is " + channel.mail()->from +
                  " delivered to the mailbox of `fetch`? A running `cmpost "
                  "serve` may have taken it first: stop it for the test");
}

}  // namespace cmpost
