#include <algorithm>

#include "base/at_work.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/start_thread.h"
#include "outbox/dispatcher.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// Answers of another process make no noise here, so the queue is asked this often; it is also the
// longest time that a stop has to wait for.
constexpr Duration kAsk = 250ms;
constexpr Duration kFirstPause = 1s, kLongestPause = 30s;

}  // namespace

Result<Dispatched> send_all(Dispatcher& dispatcher, const std::stop_token& stop) {
  const AtWork at_work("sending answers");
  Dispatched all;
  while (!stop.stop_requested()) {
    ASSIGN_OR_RETURN(const Dispatched done, dispatcher.step(stop));
    if (done.total() == 0) break;
    all += done;
  }
  return all;
}

Result<std::unique_ptr<DispatchLoop>> DispatchLoop::start(Dispatcher& dispatcher, JobQueue& replies,
                                                          WayBook& ways) {
  std::unique_ptr<DispatchLoop> loop(new DispatchLoop(dispatcher, replies, ways));
  ASSIGN_OR_RETURN(loop->thread_, start_thread([loop = loop.get()](const std::stop_token& stop) {
                     loop->run(stop);
                   }));
  return loop;
}

void DispatchLoop::run(const std::stop_token& stop) {
  const AtWork at_work("sending answers");
  std::string trouble;
  Duration next_pause = kFirstPause;
  while (!stop.stop_requested()) {
    const auto done = dispatcher_.step(stop);
    if (!done) {
      if (trouble != done.error().what) {
        log::error("queue.failing", {{"queue", "replies"}, {"reason", to_string(done.error())}});
      }
      trouble = done.error().what;
      way_.rests(done.error(), next_pause);
      pause(next_pause, stop);
      next_pause = std::min(2 * next_pause, kLongestPause);
      continue;
    }
    if (!trouble.empty()) log::info("queue.recovered", {{"queue", "replies"}});
    trouble.clear();
    way_.works();
    next_pause = kFirstPause;
    if (done->total() == 0) replies_.wait_for_work(kAsk);
  }
}

}  // namespace cmpost
