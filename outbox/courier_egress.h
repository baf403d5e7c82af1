// Answers that a person will carry.
#pragma once

#include "config/channel_settings.h"
#include "outbox/egress.h"

namespace cmpost {

// What becomes of them in the end, in the record of the job.
inline constexpr std::string_view kBundled = "bundled";
// Why they are deferred, in every listing of jobs.
inline constexpr std::string_view kWaitsForCourier = "waits for the courier (cmpost bundle export)";

// Sends nothing: what is ready stays in the queue until `cmpost bundle export` takes it
// (bundle_export.h), and is looked at again now and then, since nobody comes back to it earlier.
class CourierEgress final : public Egress {
 public:
  explicit CourierEgress(std::string channel) : channel_(std::move(channel)) {}

  const std::string& channel() const override { return channel_; }
  std::string_view verb() const override { return kBundled; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;

 private:
  const std::string channel_;
};

}  // namespace cmpost
