// Answers that leave in numbered batches, with nobody to say that they arrived.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "carrier/batch_sender.h"
#include "config/channel_settings.h"
#include "outbox/egress.h"

namespace cmpost {

BatchSenderSettings batch_sender_settings(const ChannelSettings& channel);

// Makes a batch of each group of answers and writes its copies to settings.directory()->out
// (carrier/batch_sender.h). An answer is in one batch only, wherever the process dies: what was
// leased before is looked for in the batches made since it was put into the queue, and none of them
// is forgotten while the queue may lease one of its answers again. Where the queue
// has answers that have left and of which the batches know nothing, the batches were restored from
// a backup, and a new stream begins.
class OneWayEgress final : public Egress {
 public:
  // All references must outlive the object. By `sure` old batches are forgotten, nullptr: by
  // `clock`.
  OneWayEgress(const ChannelSettings& settings, JobQueue& replies, const Clock& clock,
               Random& random, const Clock* sure = nullptr)
      : settings_(settings),
        replies_(replies),
        sure_(sure != nullptr ? *sure : clock),
        sender_(batch_sender_settings(settings), clock, random) {}

  const std::string& channel() const override { return settings_.name; }
  std::string_view verb() const override { return "emitted"; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  // Writes copies that are due: repeats, what `cmpost resend` asked for, what a crash has left.
  Result<bool> tend() override;

 private:
  Result<void> send(std::span<const Lease> leases, Deliveries& deliveries);
  Result<void> find_batched(std::span<const Lease> leases, Deliveries& deliveries);
  Result<void> emit();
  Result<void> compare_memories();
  Result<bool> may_be_sent_again(const std::vector<std::string>& ids);

  const ChannelSettings settings_;
  JobQueue& replies_;
  const Clock& sure_;
  BatchSender sender_;
  Time next_purge_ = Time::min();
  bool compared_ = false;
};

}  // namespace cmpost
