#include "mail/mail_ingress.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/pause.h"

namespace cmpost {
namespace {

// Mails that a group holds in memory together.
constexpr std::size_t kGroupOctets = std::size_t{32} << 20U;
constexpr std::size_t kMostSenders = 100'000;
constexpr auto kHour = std::chrono::hours(1);
// When people have moved mails without a request, the count of them may be wrong for so long.
constexpr auto kCountAgain = std::chrono::minutes(10);
// Mails in a row that do not come: the fault is not theirs.
constexpr int kMostFailures = 3;

}  // namespace

MailIngress::MailIngress(const ChannelSettings& settings, std::unique_ptr<MailSource> source,
                         JobQueue& requests, const Clock& steady, Bounced bounced,
                         std::shared_ptr<const SmimeOpener> smime)
    : settings_(settings),
      source_(std::move(source)),
      steady_(steady),
      bounced_(std::move(bounced)),
      smime_(std::move(smime)),
      deposit_(settings_, requests, steady) {}

Result<Intake> MailIngress::poll(const std::stop_token& stop) {
  Intake intake;
  begin_hour();
  while (!stop.stop_requested()) {
    ASSIGN_OR_RETURN(const auto room, deposit_.room());
    if (deposit_.closed()) break;
    // What is left for the next hour must not hide what lies behind it.
    const auto most = room.jobs() + left_.size() + reluctant_.size();
    ASSIGN_OR_RETURN(auto mails, source_->list(most, stop));
    const bool full = mails.size() >= most;
    if (!full) forget_gone(mails);
    std::erase_if(mails, [this](const auto& mail) {
      return left_.contains(mail.arrival) || reluctant_.rests(mail.arrival, steady_.now());
    });
    TRY(take_group(mails, intake, stop));
    if (!full || mails.empty()) break;
  }
  if (!stop.stop_requested()) TRY(count_foreign(stop));
  intake.stuck = left_.size() + reluctant_.left_out();
  deposit_.tell_gate(intake);
  return intake;
}

// An IMAP server is searched for it: not at every look.
Result<void> MailIngress::count_foreign(const std::stop_token& stop) {
  const auto now = steady_.now();
  if (count_again_ && now < *count_again_) return {};
  ASSIGN_OR_RETURN(foreign_, source_->count_foreign(stop));
  count_again_ = now + kCountAgain;
  return {};
}

LookedAt MailIngress::looked_at() const {
  const auto now = steady_.now();
  LookedAt found{.stuck = reluctant_.stuck(now), .without_request = foreign_};
  for (const auto& arrival : left_) {
    found.stuck.push_back({arrival, "its sender is over per_sender_per_hour", 0,
                           std::max(hour_ + kHour - now, Duration::zero())});
  }
  return found;
}

Result<void> MailIngress::take_group(std::span<const MailHandle> mails, Intake& intake,
                                     const std::stop_token& stop) {
  while (!mails.empty() && !stop.stop_requested()) {
    std::size_t count = 0;
    for (GroupRoom room(mails.size(), kGroupOctets); count < mails.size(); ++count) {
      const auto octets = std::min(mails[count].size, settings_.mail()->max_mail);
      if (!room.has_room(octets)) break;
      room.take(octets);
    }
    TRY(take_part(mails.first(count), intake, stop));
    mails = mails.subspan(count);
  }
  return {};
}

// What has come is settled first, whatever broke. The first that is missing is suspected, and the
// rest is asked for again. That none of several comes is the source's fault.
Result<void> MailIngress::take_part(std::span<const MailHandle> mails, Intake& intake,
                                    const std::stop_token& stop) {
  Mails wanted(mails.begin(), mails.end());
  int failures = 0;
  while (!wanted.empty() && !stop.stop_requested()) {
    Group group;
    auto missing = take(wanted, group, intake, stop);
    TRY(settle(group, intake, stop));
    TRY(note_came(wanted, missing));
    if (missing.empty() || stop.stop_requested()) return {};
    if (missing.size() < wanted.size()) failures = 0;
    ASSIGN_OR_RETURN(const auto trouble, take_suspect(missing.front(), intake, stop));
    failures = trouble ? failures + 1 : 0;
    if (failures >= kMostFailures) return failure(*trouble);
    missing.erase(missing.begin());
    wanted = std::move(missing);
  }
  return {};
}

// It is to blame if it does not come from a source that is there.
Result<std::optional<Error>> MailIngress::take_suspect(const MailHandle& mail, Intake& intake,
                                                       const std::stop_token& stop) {
  TRY(source_->connect(stop));
  auto raw = source_->fetch(mail, settings_.mail()->max_mail, stop);
  if (raw && *raw) {
    Group group;
    judge(mail, **std::move(raw), group, intake);
    TRY(settle(group, intake, stop));
    TRY(note_came(mail));
    return std::nullopt;
  }
  if (stop.stop_requested()) return std::nullopt;
  const auto why = raw ? "the server names it and does not give it" : raw.error().what;
  if (reluctant_.failed(mail.arrival, why, steady_.now())) TRY(leave_out(mail, why));
  return raw ? std::nullopt : std::optional(std::move(raw).error());
}

Job MailIngress::job_of_unread(const MailHandle& mail) const {
  return quarantined_mail({}, mail.arrival, settings_, "mail " + mail.arrival);
}

Result<void> MailIngress::leave_out(const MailHandle& mail, const std::string& reason) {
  const auto why = "the mail cannot be fetched and is left out: " + reason;
  log::error("mail.left_out",
             {{"channel", settings_.name}, {"mail", mail.arrival}, {"reason", why}});
  return deposit_.hold(job_of_unread(mail), why,
                       "look at it in the mailbox; it is asked for again by and by");
}

Result<void> MailIngress::note_came(const Mails& wanted, const Mails& missing) {
  if (reluctant_.empty()) return {};
  std::set<std::string> still;
  for (const auto& mail : missing) still.insert(mail.arrival);
  for (const auto& mail : wanted) {
    if (!still.contains(mail.arrival)) TRY(note_came(mail));
  }
  return {};
}

Result<void> MailIngress::note_came(const MailHandle& mail) {
  if (!reluctant_.came(mail.arrival)) return {};
  log::info("mail.came_after_all", {{"channel", settings_.name}, {"mail", mail.arrival}});
  TRY(deposit_.queue().drop(job_of_unread(mail).id, "the mail came after all"));
  return {};
}

void MailIngress::forget_gone(const Mails& listed) {
  if (reluctant_.empty()) return;
  std::set<std::string> named;
  for (const auto& mail : listed) named.insert(mail.arrival);
  reluctant_.keep_only(named);
}

MailIngress::Mails MailIngress::take(std::span<const MailHandle> mails, Group& group,
                                     Intake& intake, const std::stop_token& stop) {
  const auto limit = settings_.mail()->max_mail;
  std::vector<MailHandle> wanted;
  for (const auto& mail : mails) {
    if (mail.size <= limit) {
      wanted.push_back(mail);
    } else {
      put_aside_unread(mail, group, intake);
    }
  }
  std::set<std::string> came;
  const auto fetched = source_->fetch_all(
      wanted, limit,
      [&](const MailHandle& mail, Bytes raw) {
        came.insert(mail.arrival);
        judge(mail, std::move(raw), group, intake);
      },
      stop);
  if (!fetched) {
    log::debug("mail.not_all_came",
               {{"channel", settings_.name}, {"reason", fetched.error().what}});
  }
  std::erase_if(wanted, [&](const auto& mail) { return came.contains(mail.arrival); });
  return wanted;
}

void MailIngress::put_aside_unread(const MailHandle& mail, Group& group, Intake& intake) {
  const auto reason = "the mail has " + std::to_string(mail.size) +
                      " octets, more than max_mail (" + std::to_string(settings_.mail()->max_mail) +
                      "); it was not fetched and lies in the quarantine folder";
  group.held.push_back({job_of_unread(mail), reason, {}});
  group.places[MailPlace::quarantine].push_back(mail);
  ++intake.quarantined;
}

void MailIngress::judge(const MailHandle& mail, Bytes raw, Group& group, Intake& intake) {
  auto judgement = judge_mail(raw, mail.arrival, settings_, smime_.get());
  if (over_budget(judgement.sender, judgement.requests.size())) {
    left_.insert(mail.arrival);
    log::warning(
        "mail.over_budget",
        {{"channel", settings_.name}, {"sender", judgement.sender}, {"mail", mail.arrival}});
    return;
  }
  std::move(judgement.requests.begin(), judgement.requests.end(),
            std::back_inserter(group.requests));
  if (judgement.place == MailPlace::quarantine) {
    ++intake.quarantined;
    log::warning("mail.quarantined", {{"channel", settings_.name},
                                      {"mail", mail.arrival},
                                      {"sender", judgement.sender},
                                      {"reason", judgement.reason},
                                      {"hint", judgement.hint}});
    const auto sender = judgement.sender.empty() ? "" : " from " + judgement.sender;
    const auto subject = judgement.subject.empty() ? "" : ": " + printable(judgement.subject, 80);
    group.held.push_back(
        {quarantined_mail(raw, mail.arrival, settings_, "mail " + mail.arrival + sender + subject),
         judgement.reason, judgement.hint});
  }
  if (judgement.place == MailPlace::foreign) {
    log::info("mail.without_request", {{"channel", settings_.name},
                                       {"mail", mail.arrival},
                                       {"sender", judgement.sender},
                                       {"subject", printable(judgement.subject, 80)}});
  }
  for (auto& report : judgement.reports) group.reports.emplace_back(std::move(report), raw);
  group.places[judgement.place].push_back(mail);
}

// First everything is durable, then the mails are filed away.
Result<void> MailIngress::settle(Group& group, Intake& intake, const std::stop_token& stop) {
  TRY(deposit_.put(group.requests, intake));
  for (const auto& [job, reason, hint] : group.held) TRY(deposit_.hold(job, reason, hint));
  for (const auto& [report, mail] : group.reports) TRY(bounced_(report, mail));
  crash_point("mail.deposited");
  for (const auto& [place, mails] : group.places) {
    TRY(source_->file_away(mails, place, stop));
    if (place == MailPlace::foreign) count_again_.reset();
    crash_point("mail.filed_away");
  }
  return {};
}

void MailIngress::begin_hour() {
  const auto now = steady_.now();
  if (now - hour_ < kHour) return;
  hour_ = now;
  used_.clear();
  left_.clear();
}

// A sender may be over its budget by the requests of one mail.
bool MailIngress::over_budget(const std::string& sender, std::size_t requests) {
  if (requests == 0) return false;
  // So many senders in an hour are one who invents them: they share a budget.
  const auto& name = used_.size() < kMostSenders || used_.contains(sender) ? sender : std::string();
  auto& used = used_[name];
  if (used >= settings_.mail()->per_sender_per_hour) return true;
  used += requests;
  return false;
}

void MailIngress::wait(Duration time_out, const std::stop_token& stop) {
  // The source would say at once that there are mails.
  if (deposit_.closed()) {
    pause(std::min<Duration>(deposit_.opens() - steady_.now(), time_out), stop);
    return;
  }
  const auto waited = source_->wait(std::min(time_out, settings_.mail()->poll), stop);
  if (waited) return;
  // poll() meets the same trouble and tells it.
  log::debug("mail.wait", {{"channel", settings_.name}, {"reason", waited.error().what}});
}

}  // namespace cmpost
