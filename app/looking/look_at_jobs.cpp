// Jobs and transactions that stand still.
#include "app/looking/inspection.h"
#include "app/terminal/output.h"
#include "orders/order_book.h"
#include "outbox/courier_egress.h"
#include "processor/records/order_listing.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// Longer than a service needs to take a job, and than most pauses.
constexpr Duration kTooLong = 1h;
constexpr Duration kFarTooLong = 24h;
// What has just come is on its way.
constexpr Duration kMoment = 10s;

class JobsLook {
 public:
  JobsLook(const Settings& settings, Time now, Remarks& findings)
      : settings_(settings), now_(now), findings_(findings) {}

  std::optional<QueueStatus> look(JobQueue& queue, const std::string& what) {
    auto status = examine(queue, what);
    if (status) return *status;
    findings_.add(RemarkKind::database, "the spool", status.error());
    return std::nullopt;
  }

 private:
  Result<QueueStatus> examine(JobQueue& queue, const std::string& what) {
    QueueStatus status;
    ASSIGN_OR_RETURN(status.counts, queue.counts());
    ASSIGN_OR_RETURN(const auto hanging, queue.hanging());
    status.hanging = hanging;
    ASSIGN_OR_RETURN(const auto carried, tell_couriers(queue));
    TRY(tell(queue, what, JobState::waiting, status.counts.waiting));
    TRY(tell(queue, what, JobState::deferred, status.counts.deferred, carried));
    TRY(tell(queue, what, JobState::held, status.counts.held));
    if (hanging > 0) {
      findings_.add({Severity::warning,
                     RemarkKind::lease,
                     what,
                     std::to_string(hanging) + " are leased by somebody who is gone",
                     "the next service or `cmpost run` takes them again",
                     {}});
    }
    return status;
  }

  // What waits for people who carry it, a remark for each of their channels; how many are deferred.
  Result<std::size_t> tell_couriers(JobQueue& queue) {
    std::size_t deferred = 0;
    for (const auto& channel : settings_.channels) {
      if (channel.courier() == nullptr) continue;
      ASSIGN_OR_RETURN(const auto counts, queue.counts_of(channel.name));
      const auto waiting = counts.waiting + counts.active + counts.deferred;
      // Requests that came this way have no reason to wait for it.
      ASSIGN_OR_RETURN(const auto known, queue.list({.state = JobState::deferred,
                                                     .limit = 1,
                                                     .reason = std::string(kWaitsForCourier)}));
      if (waiting == 0 || known.empty() || !counts.oldest) continue;
      deferred += counts.deferred;
      const auto age = now_ - *counts.oldest;
      const auto* noun = channel.direction == Direction::upstream ? " request" : " answer";
      findings_.add(
          {age > channel.courier()->bundle.receipt_within ? Severity::warning : Severity::note,
           RemarkKind::bundle,
           RemarkSubject::of_channel(channel.name),
           std::to_string(waiting) + noun + (waiting == 1 ? " waits" : "s wait") +
               " for the courier, the oldest for " + in_words(age),
           "`cmpost bundle export DIR` writes them to a medium",
           {}});
    }
    return deferred;
  }

  // The longest waiting of them stands for all but those that are `carried`.
  Result<void> tell(JobQueue& queue, const std::string& what, JobState state, std::size_t count,
                    std::size_t carried = 0) {
    if (count <= carried) return {};
    ASSIGN_OR_RETURN(auto jobs, queue.list({.state = state, .channel = {}, .limit = carried + 1}));
    if (carried > 0) {
      std::erase_if(jobs, [](const JobStatus& job) { return job.reason == kWaitsForCourier; });
    }
    if (jobs.empty()) return {};  // it is gone by now
    count -= carried;
    const auto& oldest = jobs.front();
    const auto age = now_ - oldest.arrived;
    auto text = std::to_string(count) + " " + std::string(to_string(state)) + ", the oldest for " +
                in_words(age) + " (" + printable(oldest.envelope.source, 100) + ")";
    if (!oldest.reason.empty()) text += ": " + printable(oldest.reason, 300);
    if (state == JobState::deferred) text += "; the next try at " + to_iso8601(oldest.due);
    const auto list = "`cmpost queue list --queue " + what + " --state " +
                      std::string(to_string(state)) + "` shows them";
    findings_.add({severity_of(state, age), kind_of(state), what, std::move(text), list, {}});
    return {};
  }

  static Severity severity_of(JobState state, Duration age) {
    switch (state) {
      case JobState::held:
        return Severity::warning;
      case JobState::waiting:
        return age > kTooLong ? Severity::warning : Severity::note;
      case JobState::deferred:
        return age > kFarTooLong ? Severity::warning : Severity::note;
      case JobState::active:
      case JobState::done:
        break;
    }
    return Severity::note;
  }

  static RemarkKind kind_of(JobState state) {
    if (state == JobState::held) return RemarkKind::held;
    return state == JobState::deferred ? RemarkKind::deferred : RemarkKind::waiting;
  }

  const Settings& settings_;
  const Time now_;
  Remarks& findings_;
};

void look_at_transactions(Instance& instance, Remarks& findings) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return findings.add(RemarkKind::database, "the ledger", reader.error());
  const auto ageing = TransactionTable((*reader)->connection()).ageing();
  if (!ageing) return findings.add(RemarkKind::database, "the ledger", ageing.error());
  if (ageing->alarms == 0) return;
  findings.add({Severity::error,
                RemarkKind::transaction,
                {},
                std::to_string(ageing->alarms) + " transactions were not confirmed in time",
                "`cmpost transaction list --state open` shows them",
                {}});
}

void look_at_orders(Instance& instance, Remarks& findings) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the transactions
  const auto count = count_to_be_revoked((*reader)->connection());
  if (!count) return findings.add(RemarkKind::database, "the ledger", count.error());
  if (*count == 0) return;
  findings.add({Severity::error,
                RemarkKind::order,
                {},
                std::to_string(*count) + (*count == 1 ? " order is" : " orders are") +
                    " to be revoked by hand at a CA that speaks no CMP",
                {},
                {}});
}

// What a program has placed and nobody asks about: the directory of the channel has lost it.
Result<std::vector<std::string>> not_asked_about(const ChannelSettings& channel,
                                                 LedgerReader& ledger, Time now) {
  const OrderBook book(channel.state + "/placed");
  ASSIGN_OR_RETURN(const auto orders, list_orders(ledger, false));
  std::vector<std::string> lost;
  for (const auto& one : orders) {
    const auto& message = one.message;
    const bool placed = message.channel == channel.name && !one.revocation && message.left &&
                        now - *message.left > kMoment;
    if (!placed) continue;
    const auto page = book.find(message.job());
    if (page && !*page) lost.push_back(one.id);
  }
  return lost;
}

void look_at_placed(Instance& instance, Remarks& findings) {
  const auto reader = instance.look_into_ledger();
  if (!reader) return;  // told of the transactions
  for (const auto& channel : instance.settings().channels) {
    if (channel.orders() == nullptr || channel.orders()->command.empty()) continue;
    const auto subject = RemarkSubject::of_channel(channel.name);
    const auto lost = not_asked_about(channel, **reader, instance.clock().now());
    if (!lost) {
      findings.add(RemarkKind::database, subject, lost.error());
      continue;
    }
    for (const auto& id : *lost) {
      findings.add({Severity::warning,
                    RemarkKind::order,
                    subject,
                    "order " + id + " has left, and the program is not asked about it",
                    "ask the CA, then `cmpost order deliver " + id +
                        " FILE` with what it has issued, or `cmpost order reject " + id + "`",
                    {}});
    }
  }
}

}  // namespace

JobsStatus look_at_jobs(Instance& instance, Remarks& findings) {
  JobsLook look(instance.settings(), instance.clock().now(), findings);
  JobsStatus status;
  if (const auto spool = instance.look_into_spool(); !spool) {
    findings.add(RemarkKind::database, "the spool", spool.error());
  } else {
    status.requests = look.look((*spool)->requests(), "requests");
    status.replies = look.look((*spool)->replies(), "replies");
  }
  look_at_transactions(instance, findings);
  look_at_orders(instance, findings);
  look_at_placed(instance, findings);
  look_at_runs(instance, findings);
  look_at_batches(instance, findings);
  return status;
}

}  // namespace cmpost
