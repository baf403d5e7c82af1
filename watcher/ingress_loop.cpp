#include "watcher/ingress_loop.h"

#include <algorithm>
#include <optional>

#include "base/at_work.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/start_thread.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr Duration kIdle = 1h;  // an Ingress knows itself when to look again
constexpr Duration kFirstPause = 1s, kLongestPause = 30s;

// Tells the operator when trouble begins, when it changes and when it is over.
class Trouble {
 public:
  explicit Trouble(std::string channel) : channel_(std::move(channel)) {}

  void begin(const Error& error) {
    if (what_ == error.what) return;
    what_ = error.what;
    log::error("channel.failing",
               {{"channel", channel_}, {"reason", error.what}, {"hint", error.hint}});
  }
  void end() {
    if (!what_) return;
    what_.reset();
    log::info("channel.recovered", {{"channel", channel_}});
  }

 private:
  std::string channel_;
  std::optional<std::string> what_;
};

}  // namespace

Intake& Intake::operator+=(const Intake& other) {
  deposited += other.deposited;
  known += other.known;
  quarantined += other.quarantined;
  settling += other.settling;
  stuck += other.stuck;
  paused = paused || other.paused;
  return *this;
}

Result<Intake> take_all(Ingress& ingress, const std::stop_token& stop) {
  const AtWork at_work("taking in by " + ingress.channel());
  Intake total;
  while (true) {
    ASSIGN_OR_RETURN(const Intake intake, ingress.poll(stop));
    total.deposited += intake.deposited;
    total.known += intake.known;
    total.quarantined += intake.quarantined;
    total.settling = intake.settling;
    total.stuck = intake.stuck;
    const bool comes = intake.settling > 0 || intake.paused;
    const bool idle = intake.deposited + intake.quarantined == 0 && !comes;
    if (idle || stop.stop_requested()) return total;
    if (comes) ingress.wait(kIdle, stop);
  }
}

Result<std::unique_ptr<IngressLoop>> IngressLoop::start(Ingress& ingress, WayRecorder& way) {
  std::unique_ptr<IngressLoop> loop(new IngressLoop(ingress, way));
  ASSIGN_OR_RETURN(loop->thread_, start_thread([loop = loop.get()](const std::stop_token& stop) {
                     loop->run(stop);
                   }));
  return loop;
}

void IngressLoop::run(const std::stop_token& stop) {
  const AtWork at_work("taking in by " + ingress_.channel());
  Trouble trouble(ingress_.channel());
  Duration next_pause = kFirstPause;
  while (!stop.stop_requested()) {
    const auto intake = ingress_.poll(stop);
    if (!intake) {
      trouble.begin(intake.error());
      way_.rests(intake.error(), next_pause);
      pause(next_pause, stop);
      next_pause = std::min(2 * next_pause, kLongestPause);
      continue;
    }
    trouble.end();
    way_.works(ingress_.looked_at());
    next_pause = kFirstPause;
    ingress_.wait(kIdle, stop);
  }
}

}  // namespace cmpost
