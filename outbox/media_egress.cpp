#include "outbox/media_egress.h"

namespace cmpost {
namespace {

// tend() wakes them when the medium comes; this is for a look in between.
constexpr Duration kAway = std::chrono::hours(4);

Delivery waits_for(const std::string& id) {
  return {.what = Delivery::What::deferred,
          .detail = id.empty() ? "waits for a medium" : "waits for the medium " + id,
          .after = kAway};
}

}  // namespace

// What cannot be told is as good as absent: the Ingress reports it.
std::optional<Medium> MediaEgress::medium() const {
  auto found = find_medium({settings_.directory()->in, settings_.directory()->mount_point});
  return found ? std::move(*found) : std::nullopt;
}

Deliveries MediaEgress::send(std::span<const Lease> leases, const std::stop_token&) {
  Deliveries deliveries;
  for (const auto& lease : leases) {
    deliveries.each.push_back(waits_for(lease.job.envelope.reply.address));
  }
  if (const auto present = medium()) send_present(*present, leases, deliveries);
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (deliveries.each[i].after == kAway) missed_.insert(leases[i].job.envelope.reply.address);
  }
  return deliveries;
}

void MediaEgress::send_present(const Medium& medium, std::span<const Lease> leases,
                               Deliveries& deliveries) {
  std::vector<Lease> here;
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto& address = leases[i].job.envelope.reply.address;
    // A medium that cannot be written to gets its answers in `out`, which must be elsewhere then.
    if (!address.empty() && address != medium.id) continue;
    here.push_back(leases[i]);
    indexes.push_back(i);
  }
  if (here.empty()) return;
  auto sent = directory_.send(here, {});
  const auto now = this->medium();
  const bool pulled = !now || now->id != medium.id;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const bool waits = pulled && sent.each[i].what != Delivery::What::sent;
    if (!waits) deliveries.each[indexes[i]] = std::move(sent.each[i]);
  }
  if (!pulled) deliveries.trouble = std::move(sent.trouble);
}

Result<bool> MediaEgress::tend() {
  const auto now = medium();
  const auto id = now ? std::optional(now->id) : std::nullopt;
  const bool came = id && id != there_;
  there_ = id;
  // Answers without an address wait for any medium.
  const bool missed = id && missed_.erase(*id) + missed_.erase("") > 0;
  return came || missed;
}

}  // namespace cmpost
