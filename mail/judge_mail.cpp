#include "mail/judge_mail.h"

#include <algorithm>

#include "asn1/der_kind.h"
#include "base/ascii.h"
#include "mail/address_rules.h"
#include "mail/bounce_address.h"
#include "watcher/file_names.h"
#include "watcher/unwrap.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxReferences = 900;  // octets: one header line
constexpr std::size_t kLongestStem = 150;

MailLimits limits_of(const ChannelSettings& channel) {
  MailLimits limits;
  limits.mail = channel.mail()->max_mail;
  limits.message = channel.max_message;
  limits.messages = channel.mail()->max_messages;
  return limits;
}

std::string joined(const std::vector<std::string>& references, const std::string& message_id) {
  std::string text = message_id;
  for (auto one = references.rbegin(); one != references.rend(); ++one) {
    if (*one == message_id) continue;
    if (text.size() + one->size() + 1 > kMaxReferences) break;
    text = *one + (text.empty() ? "" : " ") + text;
  }
  return text;
}

// The stem of an answer's file name: letters, digits and what is harmless.
std::string stem_for(const MailPart& part) {
  std::string stem;
  for (const char c : stem_of(part.name)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    stem += plain ? c : '_';
  }
  while (!stem.empty() && stem.front() == '.') stem.erase(stem.begin());
  return stem.empty() ? "request" : shortened(stem, kLongestStem);
}

bool is_pki_message(ByteView octets) {
  const auto unwrapped = unwrap(to_bytes(octets));
  return unwrapped.what == Unwrapped::What::message &&
         der_kind(unwrapped.message) == DerKind::pki_message;
}

std::string source_of(const IncomingMail& mail, const MailPart& part, const OpenedMail& opened) {
  std::string source = "mail " + (mail.message_id.empty() ? "without id" : mail.message_id);
  if (mail.from) source += " from " + mail.from->text();
  if (opened.vouched) source += " signed";
  if (opened.encrypted) source += " encrypted";
  source += " part " + part.path;
  if (!part.name.empty()) source += " " + part.name;
  return printable(source, 400);
}

// Reads one mail into a judgement.
class Judge {
 public:
  Judge(ByteView raw, const std::string& arrival, const ChannelSettings& channel,
        const SmimeOpener* smime, bool trusted)
      : raw_(raw),
        arrival_(arrival),
        channel_(channel),
        limits_(limits_of(channel)),
        smime_(smime),
        trusted_(trusted) {}

  MailJudgement judge() {
    const MailPolicy policy{.octet_stream = channel_.mail()->octet_stream,
                            .is_message = is_pki_message};
    auto mail = read_mail(raw_, limits_, policy);
    if (!mail) return quarantined(mail.error());
    if (mail->from) judgement_.sender = mail->from->text();
    judgement_.subject = mail->subject;
    // First of all: whatever else is in it is ours that came back, and no request.
    if (!trusted_ && mail->returned && judge_returned(*mail)) return std::move(judgement_);
    if (smime_ != nullptr) {
      auto opened = smime_->open(raw_, *mail, limits_, policy, trusted_);
      if (!opened) return quarantined(opened.error());
      opened_ = *std::move(opened);
      mail->messages = std::move(opened_.messages);
    }
    if (mail->messages.empty()) {
      judge_without_message(*mail);
    } else if (may_be_taken(*mail)) {
      for (const auto& part : mail->messages) take(*mail, part);
      if (judgement_.reason.empty()) judgement_.place = MailPlace::done;
    }
    return std::move(judgement_);
  }

 private:
  MailJudgement quarantined(const Error& error) {
    quarantine(error.what, error.hint);
    return std::move(judgement_);
  }

  void quarantine(std::string reason, std::string hint) {
    judgement_.place = MailPlace::quarantine;
    if (!judgement_.reason.empty()) return;  // the first one is told
    judgement_.reason = std::move(reason);
    judgement_.hint = std::move(hint);
  }

  void judge_without_message(const IncomingMail& mail) {
    const bool closed = smime_ == nullptr;
    if (closed && (mail.wrapped == IncomingMail::Wrapped::enveloped ||
                   mail.wrapped == IncomingMail::Wrapped::opaque_signed)) {
      return quarantine("the mail is S/MIME, which this channel does not open",
                        "give the channel `smime`, or let the site send the request as an "
                        "ordinary attachment: CMP protects itself");
    }
    // foreign: somebody's mail, not ours
  }

  // A standard report, or what has the return path of an answer of ours in it. False: neither.
  bool judge_returned(const IncomingMail& mail) {
    if (mail.delivery_report) {
      auto reports = read_delivery_reports(raw_, limits_);
      if (reports) {
        judgement_.reports = std::move(*reports);
      } else if (!names_bounce_address(text_of(raw_))) {
        quarantine(reports.error().what, reports.error().hint);
        return true;
      }
    } else if (!names_bounce_address(text_of(raw_))) {
      return false;
    }
    if (judgement_.reports.empty()) judgement_.reports.push_back(informal_report(mail));
    judgement_.place = MailPlace::done;
    return true;
  }

  // qmail, old Exim and many others say in free text what has happened.
  static DeliveryReport informal_report(const IncomingMail& mail) {
    DeliveryReport report;
    report.recipient = mail.failed_recipient;
    report.action = says_delayed(mail.subject) ? DeliveryReport::Action::delayed
                                               : DeliveryReport::Action::failed;
    report.diagnostic = printable(mail.subject, 200);
    return report;
  }

  static bool says_delayed(std::string_view subject) {
    return lower_ascii(subject).find("delay") != std::string::npos;
  }

  bool may_be_taken(const IncomingMail& mail) {
    if (auto refusal = refusal_of(mail); refusal && !trusted_) {
      quarantine(std::move(*refusal), "`cmpost queue release` takes it all the same");
      return false;
    }
    if (comes_from_above()) return true;
    reply_ = reply_address(mail, *channel_.mail());
    if (!reply_) {
      quarantine("nobody to answer to: no address that `reply` allows",
                 "the setting `reply` of the channel says which ones are used");
      return false;
    }
    return true;
  }

  // The answers of a CA are what programs reply, and nobody answers them.
  bool comes_from_above() const { return channel_.direction == Direction::upstream; }

  // RFC 3834: an answer to a program, or to a null return path, may be answered in turn.
  std::optional<std::string> refusal_by_nature(const IncomingMail& mail) const {
    if (comes_from_above()) return std::nullopt;
    if (mail.unanswerable) {
      return "the mail is the reply of a program or has a null return path, which is never "
             "answered";
    }
    if (mail.automatic && channel_.mail()->senders.empty()) {
      return "the mail was sent by a program (Auto-Submitted, Precedence, List-*), and the channel "
             "has no `senders` that such are taken from";
    }
    return std::nullopt;
  }

  std::optional<std::string> refusal_of(const IncomingMail& mail) const {
    if (auto refusal = refusal_by_nature(mail)) return refusal;
    if (auto refusal = sender_refusal(mail, *channel_.mail())) return refusal;
    return smime_ == nullptr ? std::nullopt : smime_->refusal(opened_);
  }

  void take(const IncomingMail& mail, const MailPart& part) {
    auto unwrapped = unwrap(Bytes(part.content));
    if (unwrapped.what != Unwrapped::What::message) {
      return quarantine("part " + part.path + ": " + unwrapped.reason, unwrapped.hint);
    }
    Job job;
    job.payload = std::move(unwrapped.message);
    job.id =
        make_job_id({view_of(channel_.name), view_of(arrival_), view_of(part.path), job.payload});
    job.envelope.channel = channel_.name;
    job.envelope.source = source_of(mail, part, opened_);
    job.envelope.reply = {channel_.name, reply_ ? reply_->text() : "", stem_for(part),
                          mail.message_id, joined(mail.references, mail.message_id)};
    judgement_.requests.push_back(std::move(job));
  }

  const ByteView raw_;
  const std::string& arrival_;
  const ChannelSettings& channel_;
  const MailLimits limits_;
  const SmimeOpener* const smime_;
  const bool trusted_;
  OpenedMail opened_;
  std::optional<Mailbox> reply_;
  MailJudgement judgement_;
};

}  // namespace

MailJudgement judge_mail(ByteView raw, const std::string& arrival, const ChannelSettings& channel,
                         const SmimeOpener* smime, bool trusted) {
  return Judge(raw, arrival, channel, smime, trusted).judge();
}

Job quarantined_mail(ByteView raw, const std::string& arrival, const ChannelSettings& channel,
                     const std::string& source) {
  Job job;
  job.id = make_job_id({view_of(channel.name), view_of(arrival), view_of("whole mail")});
  job.envelope.channel = channel.name;
  job.envelope.source = printable(source, 400);
  job.envelope.reply.channel = channel.name;
  job.payload = to_bytes(raw);
  return job;
}

}  // namespace cmpost
