// Where answers go.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/job_queue.h"

namespace cmpost {

// What became of one answer.
struct Delivery {
  enum class What {
    sent,      // durable where it was to go; `detail` says where, for the log
    deferred,  // not sent, may work later; `detail` says why
    held       // not sent and will not be until somebody helps; `detail` says why
  };
  What what = What::deferred;
  std::string detail;
  // deferred: when to try again, instead of by the number of attempts. For what is no trouble: a
  // medium that is away, a reader that takes one answer a second.
  std::optional<Duration> after = std::nullopt;
  bool paced = false;  // and then it will go, so that a batch run waits for it
};

// Whether another process is at work on the answer: what it has begun must be left alone. Empty: no
// other process is there.
using UnderWay = std::function<bool(const JobId&)>;
// As far as the queue of replies knows; "not known" is yes. `replies` must outlive the function.
UnderWay under_way_in(JobQueue& replies);

struct Deliveries {
  std::vector<Delivery> each;  // one for each lease, in their order
  // Set when the channel as a whole does not work (a full disk, a missing directory, a dead
  // server): the channel then rests, and the answers do not spend their attempts on it.
  std::optional<Error> trouble;
};

// One channel's way out. What an answer is called there is fixed by the answer itself, so that one
// sent again after a crash is recognised: sending twice leaves one copy, or two that look the same.
// Used by one thread.
class Egress {
 public:
  virtual ~Egress() = default;
  virtual const std::string& channel() const = 0;
  // Ends within a second when a stop is requested, however slow the peer is; what was not sent by
  // then is deferred, and is no trouble of the channel.
  virtual Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) = 0;
  // Called now and then, also while there is nothing to send. True: what send() has deferred for so
  // long because the channel was away can go now. An Error is trouble of the channel.
  virtual Result<bool> tend() { return false; }
  // What a job's record says that became of it.
  virtual std::string_view verb() const { return "sent"; }
  // At most so many answers are sent before the queue is told. After a crash those may go out
  // again.
  virtual std::size_t group() const { return 500; }
};

}  // namespace cmpost
