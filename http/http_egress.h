// Requests to the CA above, over HTTP, and the answers that come with them.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/channel_settings.h"
#include "http/judge_answer.h"
#include "http/wire/http_client.h"
#include "outbox/egress.h"
#include "outbox/unanswered.h"
#include "watcher/deposit.h"

namespace cmpost {

// POSTs each message to settings.http()->url (RFC 9811). What the peer answers becomes a job of the
// same channel in the queue of requests; only when that is durable the message is reported as sent.
// The id of that job follows from the message's and the octets of the answer, so that the same
// answer twice is one job; its `source` names the message's.
//
// A message of which nobody can say whether it has arrived (no whole answer, the process died) is
// sent again, the same octets (OnUnknown::repeat), or held, and never sent again by itself
// (OnUnknown::hold): when an operator releases it, it is sent once more. What certainly has not
// arrived is sent again in any case, until `lifetime` is over. What the peer refuses is held.
class HttpEgress final : public Egress {
 public:
  struct Queues {
    JobQueue& requests;
    JobQueue& replies;
  };
  // All references must outlive the object. `wall` dates, `steady` measures.
  HttpEgress(const ChannelSettings& settings, const Queues& queues, const Clock& wall,
             const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  std::size_t group() const override { return 8 * settings_.http()->sessions; }

 private:
  struct Group;  // the leases in hand and what became of them
  struct Answer {
    JobId asked;  // the message that it answers
    Job job;
  };

  bool never_twice() const { return settings_.http()->on_unknown == OnUnknown::hold; }
  Result<void> tidy();
  Delivery sent(const JobId& id);
  Result<void> find_answered(Group& group);
  Result<std::optional<Delivery>> what_became_of(const Lease& lease);
  Result<void> ask_for_room(Group& group);
  void heed_retry_after(Group& group);
  void defer_rest(Group& group) const;
  Result<void> post(Group& group, const std::stop_token& stop);
  void start_some(Group& group);
  Result<void> start(const Job& job, std::size_t tag);
  Result<void> take_some(Group& group, const Patience& patience, bool stopped);
  void take(Group& group, std::vector<HttpClient::Finished> finished, bool stopped);
  Result<void> settle(Group& group, std::size_t index, HttpVerdict verdict, bool stopped);
  Result<void> put_answers();
  bool full() const;
  Delivery hold_or_repeat(const Lease& lease, const Error& why) const;
  Delivery again(const Lease& lease, const Error& why, std::optional<Duration> after = {}) const;
  Answer answer_to(const Lease& lease, Bytes message) const;

  const ChannelSettings settings_;
  const std::string peer_;  // for people
  JobQueue& replies_;
  const Clock& wall_;
  const Clock& steady_;
  Deposit deposit_;
  HttpClient client_;
  Unanswered unanswered_;
  // That came and could not be put into the queue yet: they will not come again.
  std::vector<Answer> kept_;
  // Whose answer is durable and that were not reported as sent.
  std::set<JobId> answered_;
  // That were reported as sent, and of which signs may be left.
  std::set<JobId> told_;
  Time not_before_ = Time::min();  // as the peer has asked for
  Error asked_for_;                // the words of that
  bool tidied_ = false;
};

}  // namespace cmpost
