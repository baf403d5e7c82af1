// What comes in by an HTTP channel: nothing by itself.
#pragma once

#include <string>
#include <utility>

#include "base/pause.h"
#include "watcher/ingress.h"

namespace cmpost {

// Answers come with the requests that they answer, and HttpEgress puts them into the queue. There
// is nobody else to ask.
class HttpIngress final : public Ingress {
 public:
  explicit HttpIngress(std::string channel) : channel_(std::move(channel)) {}

  const std::string& channel() const override { return channel_; }
  Result<Intake> poll(const std::stop_token&) override { return Intake{}; }
  void wait(Duration time_out, const std::stop_token& stop) override { pause(time_out, stop); }

 private:
  const std::string channel_;
};

}  // namespace cmpost
