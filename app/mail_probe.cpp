#include "app/mail_probe.h"

#include <algorithm>

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
  SmtpSender sender(channel.mail);
  const auto raw = probe_mail(channel.mail, id);
  const auto outcome = sender.send(channel.mail.from, own, id, view_of(raw));
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

Result<void> log_in(const ChannelSettings& channel) {
  ASSIGN_OR_RETURN(const auto source, open_mail_source(channel.mail));
  if (auto connected = source->connect({}); !connected) {
    return failure(std::move(connected).error().within("fetch"));
  }
  SmtpSender sender(channel.mail);
  if (auto willing = sender.ask_whether_mail_goes(); !willing) {
    return failure(std::move(willing).error().within("send"));
  }
  return {};
}

Result<Duration> send_to_itself(Instance& instance, const ChannelSettings& channel) {
  const auto own = read_mailbox(channel.mail.from);
  if (!own) return hold("`from` of the channel is not a plain address");
  ASSIGN_OR_RETURN(const auto source, open_mail_source(channel.mail));
  const SteadyClock clock;
  const auto start = clock.now();
  const auto id = to_hex(instance.random().bytes(12));
  TRY(send_probe(channel, *own, id));
  std::vector<std::string> seen;
  while (clock.now() - start < kPatience) {
    ASSIGN_OR_RETURN(const auto found, find_probe(*source, id, seen));
    if (found) {
      TRY(source->file_away({&*found, 1}, MailPlace::done, {}));
      return clock.now() - start;
    }
    TRY(source->wait(kPause, {}));
  }
  return hold("the mail was sent, but has not come back within a minute",
              "is " + channel.mail.from +
                  " delivered to the mailbox of `fetch`? A running `cmpost "
                  "serve` may have taken it first: stop it for the test");
}

}  // namespace cmpost
