#include "mail/mail_ingress.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"

namespace cmpost {
namespace {

constexpr std::size_t kGroup = 100;
// Mails that a group holds in memory together.
constexpr std::size_t kGroupOctets = std::size_t{32} << 20U;
constexpr std::size_t kMostSenders = 100'000;
constexpr auto kHour = std::chrono::hours(1);

}  // namespace

MailIngress::MailIngress(const ChannelSettings& settings, std::unique_ptr<MailSource> source,
                         JobQueue& requests, const Clock& steady, Bounced bounced)
    : settings_(settings),
      source_(std::move(source)),
      requests_(requests),
      steady_(steady),
      bounced_(std::move(bounced)) {}

Result<Intake> MailIngress::poll(const std::stop_token& stop) {
  Intake intake;
  begin_hour();
  while (!stop.stop_requested()) {
    // What is left for the next hour must not hide what lies behind it.
    ASSIGN_OR_RETURN(auto mails, source_->list(kGroup + left_.size(), stop));
    const bool full = mails.size() >= kGroup + left_.size();
    std::erase_if(mails, [this](const auto& mail) { return left_.contains(mail.arrival); });
    TRY(take_group(mails, intake, stop));
    if (!full || mails.empty()) break;
  }
  intake.stuck = left_.size();
  return intake;
}

Result<void> MailIngress::take_group(const std::vector<MailHandle>& mails, Intake& intake,
                                     const std::stop_token& stop) {
  Group group;
  std::size_t octets = 0;
  for (const auto& mail : mails) {
    if (stop.stop_requested()) break;
    if (octets > 0 && octets + mail.size > kGroupOctets) {
      TRY(settle(group, intake, stop));
      group = {};
      octets = 0;
    }
    octets += mail.size;
    TRY(take(mail, group, intake, stop));
  }
  return settle(group, intake, stop);
}

Result<void> MailIngress::take(const MailHandle& mail, Group& group, Intake& intake,
                               const std::stop_token& stop) {
  const auto limit = settings_.mail.max_mail;
  if (mail.size > limit) {
    const auto reason = "the mail has " + std::to_string(mail.size) +
                        " octets, more than max_mail (" + std::to_string(limit) + ")";
    group.held.emplace_back(quarantined_mail({}, mail.arrival, settings_, "mail " + mail.arrival),
                            reason + "; it was not fetched and lies in the quarantine folder");
    group.places[MailPlace::quarantine].push_back(mail);
    ++intake.quarantined;
    return {};
  }
  ASSIGN_OR_RETURN(auto raw, source_->fetch(mail, limit, stop));
  if (raw) judge(mail, std::move(*raw), group, intake);
  return {};
}

void MailIngress::judge(const MailHandle& mail, Bytes raw, Group& group, Intake& intake) {
  auto judgement = judge_mail(raw, mail.arrival, settings_);
  if (over_budget(judgement.sender, judgement.requests.size())) {
    left_.insert(mail.arrival);
    log::warning(
        "mail.over_budget",
        {{"channel", settings_.name}, {"sender", judgement.sender}, {"mail", mail.arrival}});
    return;
  }
  intake.deposited += judgement.requests.size();
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
    group.held.emplace_back(
        quarantined_mail(raw, mail.arrival, settings_, "mail " + mail.arrival + sender),
        to_string(Error{Recovery::hold, judgement.reason, judgement.hint}));
  }
  for (auto& report : judgement.reports) group.reports.emplace_back(std::move(report), raw);
  group.places[judgement.place].push_back(mail);
}

// First everything is durable, then the mails are filed away.
Result<void> MailIngress::settle(Group& group, Intake& intake, const std::stop_token& stop) {
  if (!group.requests.empty()) {
    ASSIGN_OR_RETURN(const auto fresh, requests_.put(group.requests));
    intake.known += group.requests.size() - fresh;
  }
  for (const auto& [job, reason] : group.held) TRY(requests_.put_held(job, reason));
  for (const auto& [report, mail] : group.reports) TRY(bounced_(report, mail));
  crash_point("mail.deposited");
  for (const auto& [place, mails] : group.places) {
    TRY(source_->file_away(mails, place, stop));
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
  if (used >= settings_.mail.per_sender_per_hour) return true;
  used += requests;
  return false;
}

void MailIngress::wait(Duration time_out, const std::stop_token& stop) {
  const auto waited = source_->wait(std::min(time_out, settings_.mail.poll), stop);
  if (waited) return;
  // poll() meets the same trouble and tells it.
  log::debug("mail.wait", {{"channel", settings_.name}, {"reason", waited.error().what}});
}

}  // namespace cmpost
