// Where nothing comes by itself.
#pragma once

#include "config/channel_settings.h"
#include "watcher/ingress.h"

namespace cmpost {

// Finds nothing: bundles come by `cmpost bundle import` (media/bundle_import.h).
class CourierIngress final : public Ingress {
 public:
  explicit CourierIngress(const ChannelSettings& settings)
      : channel_(settings.name), poll_(poll_of(settings)) {}

  const std::string& channel() const override { return channel_; }
  Result<Intake> poll(const std::stop_token&) override { return Intake{}; }
  void wait(Duration time_out, const std::stop_token& stop) override;

 private:
  const std::string channel_;
  const Duration poll_;
};

}  // namespace cmpost
