// Runs an Ingress until told to stop.
#pragma once

#include <memory>
#include <thread>

#include "watcher/ingress.h"

namespace cmpost {

// Polls in a thread of its own from start() to destruction. Trouble with the source or the
// queue is logged when it begins and when it ends, not at each attempt, and slows the loop down
// (1 s, doubling to 30 s). `way` gets to know how each look went. Both must outlive the loop.
class IngressLoop {
 public:
  // An Error: there is no thread to be had.
  static Result<std::unique_ptr<IngressLoop>> start(Ingress& ingress, WayRecorder& way);
  // Stops and joins: waits for the end of the group that is being deposited.
  ~IngressLoop() = default;

  void request_stop() { thread_.request_stop(); }

 private:
  IngressLoop(Ingress& ingress, WayRecorder& way) : ingress_(ingress), way_(way) {}
  void run(const std::stop_token& stop);

  Ingress& ingress_;
  WayRecorder& way_;
  std::jthread thread_;  // last: joined while the rest is there
};

}  // namespace cmpost
