// Orders that a program places, and asks for.
#pragma once

#include <map>
#include <set>

#include "orders/judge_program.h"
#include "orders/order_book.h"
#include "outbox/egress.h"
#include "outbox/unanswered.h"
#include "queue/order_job.h"
#include "watcher/deposit.h"

namespace cmpost {

// Runs settings.orders()->command for each order, with CMPOST_OPERATION=SUBMIT, CMPOST_ORDER,
// CMPOST_COOKIE="" in an otherwise empty environment and the PKCS#10 as PEM on stdin. A certificate
// or a refusal becomes a job of the same channel in the queue of requests; what takes longer is
// written into the book, and the Ingress asks about it. Only then the order counts as sent.
//
// An order costs money: one of which nobody can say whether it was placed (the program was killed,
// took too long, ended with another exit code, the process died) is held, and never placed again by
// itself. When an operator releases it, it is placed once more. One that is over by now is not
// placed.
class OrdersByProgramEgress final : public Egress {
 public:
  struct Queues {
    JobQueue& requests;
    JobQueue& replies;
    AskStanding standing;  // asked before each SUBMIT
  };
  // All references must outlive the object. `wall` dates, `steady` measures.
  OrdersByProgramEgress(const ChannelSettings& settings, const Queues& queues, const Clock& wall,
                        const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  std::string_view verb() const override { return "ordered"; }
  std::size_t group() const override { return 4; }

 private:
  Result<void> tidy();
  Result<Delivery> bring(const Lease& lease, const std::stop_token& stop, Deliveries& all);
  Result<std::optional<Delivery>> what_became_of(const Lease& lease);
  Result<bool> is_answered(const JobId& id);
  Result<Delivery> submit(const Lease& lease, const std::stop_token& stop, Deliveries& all);
  Result<Delivery> settle(const Lease& lease, ProgramVerdict verdict, Deliveries& all);
  Result<Delivery> deposit(const Lease& lease);
  Delivery sent(const JobId& id, std::string detail);
  Delivery held(const Lease& lease, const Error& why) const;

  const ChannelSettings settings_;
  JobQueue& replies_;
  const AskStanding standing_;
  const Clock& wall_;
  Deposit deposit_;
  Unanswered signs_;
  OrderBook book_;
  // Answers that could not be put into the queue yet: they will not come again.
  std::map<JobId, Job> kept_;
  // That were reported as sent, and of which signs may be left.
  std::set<JobId> told_;
  bool tidied_ = false;
};

// Asks about what is in the book, each order when it is due (CMPOST_OPERATION=POLL, with its
// CMPOST_COOKIE), which may happen twice. One is forgotten only when its answer is in the queue.
class OrdersByProgramIngress final : public Ingress {
 public:
  OrdersByProgramIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                         const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override { return {.stuck = stuck_}; }

 private:
  void note_unreadable(const std::map<std::string, Error>& unreadable);
  Result<void> ask(PlacedOrder order, const std::stop_token& stop, Intake& intake);
  Result<void> answer(const PlacedOrder& order, OrderNews news, Bytes payload, Intake& intake);
  Result<void> look_again(PlacedOrder order, std::optional<Duration> after);

  const ChannelSettings settings_;
  const Clock& wall_;
  Deposit deposit_;
  OrderBook book_;
  std::vector<StuckInput> stuck_;
};

}  // namespace cmpost
