// Requests that come by mail.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/channel_settings.h"
#include "mail/judge_mail.h"
#include "mail/mail_source.h"
#include "queue/job_queue.h"
#include "watcher/deposit.h"
#include "watcher/ingress.h"
#include "watcher/reluctant_inputs.h"

namespace cmpost {

// Takes mails from a MailSource in groups: fetched, judged, put into the queue, and only then filed
// away. A mail in quarantine is also a held job with the whole mail as its payload, so that it can
// be listed, shown, released and dropped whatever becomes of the mailbox. A bounce of one of our
// answers is told to `bounced`. A sender over its budget has its mails left where they are, and so
// has everybody when the channel is at its limits, which a mail with several requests may pass.
//
// What has come is durable before a fault of the source is told. A mail that the source names and
// does not hand over is asked for alone, and after some tries left out: it is a held job without a
// payload, and is asked for again at long intervals.
class MailIngress final : public Ingress {
 public:
  // Called for each recipient in a delivery report: who was not reached, and the address that the
  // report came to. Never under a lock.
  using Bounced = std::function<Result<void>(const DeliveryReport& report, const Bytes& mail)>;

  // All references must outlive the object. `steady` measures the budget's hours. Without `smime`
  // no S/MIME is opened.
  MailIngress(const ChannelSettings& settings, std::unique_ptr<MailSource> source,
              JobQueue& requests, const Clock& steady, Bounced bounced,
              std::shared_ptr<const SmimeOpener> smime = nullptr);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

 private:
  struct Held {
    Job job;
    std::string reason, hint;
  };
  // What a group of mails came to, until it is durable.
  struct Group {
    std::vector<Job> requests;
    std::vector<Held> held;
    std::vector<std::pair<DeliveryReport, Bytes>> reports;
    std::map<MailPlace, std::vector<MailHandle>> places;
  };

  Result<void> take_group(std::span<const MailHandle> mails, Intake& intake,
                          const std::stop_token& stop);
  using Mails = std::vector<MailHandle>;
  Result<void> take_part(std::span<const MailHandle> mails, Intake& intake,
                         const std::stop_token& stop);
  // Those that have not come.
  Mails take(std::span<const MailHandle> mails, Group& group, Intake& intake,
             const std::stop_token& stop);
  // What the source broke on; nullopt: it has come, or the source has nothing for it.
  Result<std::optional<Error>> take_suspect(const MailHandle& mail, Intake& intake,
                                            const std::stop_token& stop);
  Result<void> leave_out(const MailHandle& mail, const std::string& reason);
  Result<void> note_came(const MailHandle& mail);
  Result<void> note_came(const Mails& wanted, const Mails& missing);
  void forget_gone(const Mails& listed);
  Job job_of_unread(const MailHandle& mail) const;
  void put_aside_unread(const MailHandle& mail, Group& group, Intake& intake);
  void judge(const MailHandle& mail, Bytes raw, Group& group, Intake& intake);
  Result<void> settle(Group& group, Intake& intake, const std::stop_token& stop);
  Result<void> count_foreign(const std::stop_token& stop);
  void begin_hour();
  bool over_budget(const std::string& sender, std::size_t requests);

  const ChannelSettings settings_;
  const std::unique_ptr<MailSource> source_;
  const Clock& steady_;
  const Bounced bounced_;
  const std::shared_ptr<const SmimeOpener> smime_;
  Deposit deposit_;
  Time hour_{};  // the budget's, from its begin
  std::map<std::string, std::size_t> used_;
  std::set<std::string> left_;  // arrivals of mails that wait for the next hour
  ReluctantInputs reluctant_;   // arrivals of mails that do not come
  std::size_t foreign_ = 0;     // mails without a request that lie there
  std::optional<Time> count_again_;
};

}  // namespace cmpost
