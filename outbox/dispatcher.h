// Takes answers from the queue and sends each by its channel.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "carrier/way_state.h"
#include "outbox/egress.h"
#include "queue/job_queue.h"

namespace cmpost {

struct Dispatched {
  std::size_t sent = 0, deferred = 0, held = 0;
  std::size_t total() const { return sent + deferred + held; }
  Dispatched& operator+=(const Dispatched& other);
};

// Sends in groups: up to 500 answers are leased, sent and finished together. An answer that fails
// is tried again after backoff(attempts). A channel that fails rests for 5 s, doubling to 5 min,
// and its answers wait that long. An answer for a channel that is not there is held. Used by one
// thread; several dispatchers and processes may share a queue.
class Dispatcher {
 public:
  // All that is given must outlive the object. Channels rest by `steady`, so that a wall clock that
  // is set changes nothing; answers are due by `wall`, since their times are stored. `ways` gets to
  // know how each channel does.
  Dispatcher(JobQueue& replies, std::vector<Egress*> channels, const Clock& wall,
             const Clock& steady, Random& random, WayBook& ways);

  // One group. Nothing done (total() == 0) means that nothing is due or that every channel rests.
  // An Error is the queue's; answers that were sent are remembered and finished by a later call.
  // When a stop is requested what is not sent yet is given back, due at once.
  Result<Dispatched> step(const std::stop_token& stop = {});

  // Some answers are due soon that a reader could not take at once (Delivery::paced).
  bool more_comes_soon() const { return steady_.now() < paced_until_; }

 private:
  struct Channel {
    Egress* egress = nullptr;
    Time rests_until = Time::min();
    Duration next_rest{};
    std::string trouble;  // empty: works
    WayRecorder* way = nullptr;
  };
  using Group = std::span<const Lease>;

  bool all_rest() const;
  Time due_after(Duration delay) const { return wall_.now() + delay; }
  Duration rest_of(const Channel& channel) const { return channel.rests_until - steady_.now(); }
  Result<void> tend_all();
  Result<void> defer(const Channel& channel, Group group, const Deliveries& deliveries,
                     bool stopped);
  Result<void> finish_sent();
  Result<Dispatched> send(Channel& channel, Group leases, const std::stop_token& stop);
  Result<Dispatched> send_group(Channel& channel, Group group, const std::stop_token& stop);
  Result<Dispatched> end(const Channel& channel, Group group, const Deliveries& deliveries,
                         bool stopped);
  Result<Dispatched> defer_all(Group group, Time due, const std::string& why);
  Result<Dispatched> hold_all(Group group);
  void note_trouble(Channel& channel, const std::optional<Error>& trouble);

  JobQueue& replies_;
  const Clock& wall_;
  const Clock& steady_;
  Random& random_;
  std::map<std::string, Channel> channels_;
  std::map<std::string, std::vector<JobId>> sent_;  // and not yet finished, by Egress::verb()
  Time next_tend_ = Time::min();
  Time paced_until_ = Time::min();
};

// Sends all that is due, as a batch run does.
Result<Dispatched> send_all(Dispatcher& dispatcher, const std::stop_token& stop);

// Runs a Dispatcher in a thread of its own from start() to destruction. `replies` is the queue
// of the dispatcher; `ways` gets to know how that does. All must outlive the loop.
class DispatchLoop {
 public:
  // An Error: there is no thread to be had.
  static Result<std::unique_ptr<DispatchLoop>> start(Dispatcher& dispatcher, JobQueue& replies,
                                                     WayBook& ways);
  // Stops and joins; see Egress::send() for how long that takes.
  ~DispatchLoop() = default;
  void request_stop() { thread_.request_stop(); }

 private:
  DispatchLoop(Dispatcher& dispatcher, JobQueue& replies, WayBook& ways)
      : dispatcher_(dispatcher), replies_(replies), way_(ways.of(Part::replies)) {}
  void run(const std::stop_token& stop);

  Dispatcher& dispatcher_;
  JobQueue& replies_;
  WayRecorder& way_;
  std::jthread thread_;  // last: joined while the rest is there
};

}  // namespace cmpost
