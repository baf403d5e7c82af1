#include "outbox/one_way_egress.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "outbox/answer_name.h"

namespace cmpost {
namespace {

constexpr Duration kPurgeBatches = std::chrono::hours(1);
constexpr Duration kClockSlack = std::chrono::hours(24);  // a clock may be set back by this much

Delivery in_batch(std::uint64_t number) {
  return {.what = Delivery::What::sent, .detail = "batch " + std::to_string(number)};
}

// The first of the answer's names that no other answer of the batch has; empty when there is none.
std::string free_name(const std::string& name_template, const Lease& lease,
                      std::set<std::string>& taken) {
  for (auto& name : answer_names(name_template, lease)) {
    if (taken.insert(name).second) return std::move(name);
  }
  return {};
}

}  // namespace

BatchSenderSettings batch_sender_settings(const ChannelSettings& channel) {
  const auto& directory = *channel.directory();
  return {.state = channel.state + "/batches-out",
          .out = directory.out,
          .staging = directory.staging,
          .copies = directory.copies,
          .repeat_after = directory.repeat_after,
          .keep = directory.batch_keep};
}

Deliveries OneWayEgress::send(std::span<const Lease> leases, const std::stop_token&) {
  Deliveries deliveries;
  deliveries.each.resize(leases.size());
  if (auto sent = send(leases, deliveries); !sent) {
    // What has a number by now is found by it the next time.
    deliveries.trouble = sent.error();
    deliveries.each.assign(leases.size(),
                           {.what = Delivery::What::deferred, .detail = to_string(sent.error())});
  }
  return deliveries;
}

Result<void> OneWayEgress::send(std::span<const Lease> leases, Deliveries& deliveries) {
  // Batches leave in their order: first what an earlier call could not write.
  TRY(emit());
  TRY(find_batched(leases, deliveries));
  std::set<std::string> names;
  std::vector<BatchItem> items;
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (deliveries.each[i].what == Delivery::What::sent) continue;
    const auto& job = leases[i].job;
    auto name = free_name(settings_.directory()->name_template, leases[i], names);
    if (name.empty()) {
      deliveries.each[i] = {.what = Delivery::What::held,
                            .detail = "other answers have all the names that it may have"};
      continue;
    }
    items.push_back({job.id.text(), std::move(name), job.payload});
    indexes.push_back(i);
  }
  if (items.empty()) return {};
  ASSIGN_OR_RETURN(const auto number, sender_.add(items));
  TRY(emit());
  for (const auto index : indexes) deliveries.each[index] = in_batch(number);
  return {};
}

Result<void> OneWayEgress::find_batched(std::span<const Lease> leases, Deliveries& deliveries) {
  auto since = Time::max();
  for (const auto& lease : leases) {
    if (lease.attempts > 1) since = std::min(since, lease.arrived - kClockSlack);
  }
  if (since == Time::max()) return {};
  ASSIGN_OR_RETURN(const auto known, sender_.known(since));
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto found = known.batches.find(leases[i].job.id.text());
    if (found != known.batches.end()) deliveries.each[i] = in_batch(found->second);
  }
  return {};
}

// Once in each process, before anything is sent.
Result<void> OneWayEgress::compare_memories() {
  if (compared_) return {};
  ASSIGN_OR_RETURN(const auto last, replies_.newest_done(channel(), verb()));
  const auto id = last ? std::optional(last->id.text()) : std::nullopt;
  const auto since = last ? last->arrived - kClockSlack : Time::max();
  ASSIGN_OR_RETURN(const bool anew, sender_.begin_anew_if_behind(id, since));
  if (anew) {
    log::warning("batch.stream_begun",
                 {{"channel", channel()},
                  {"reason",
                   "the memory of the batches is older than what has left: it was "
                   "restored from a backup"},
                  {"text", "batches count from 1 again in a new stream"}});
  }
  compared_ = true;
  return {};
}

Result<void> OneWayEgress::emit() {
  TRY(compare_memories());
  ASSIGN_OR_RETURN(const auto copies, sender_.emit());
  for (const auto& copy : copies) {
    log::info("batch.emitted", {{"channel", channel()},
                                {"batch", copy.number},
                                {"copy", copy.copy},
                                {"files", copy.files}});
  }
  return {};
}

// What is done will never be leased again.
Result<bool> OneWayEgress::may_be_sent_again(const std::vector<std::string>& ids) {
  for (const auto& text : ids) {
    const auto id = JobId::from_text(text);
    if (!id) continue;
    ASSIGN_OR_RETURN(const auto job, replies_.find(*id));
    if (job && job->state != JobState::done) return true;
  }
  return false;
}

Result<bool> OneWayEgress::tend() {
  TRY(emit());
  const auto now = sure_.now();
  if (now >= next_purge_ || now < next_purge_ - kPurgeBatches) {
    next_purge_ = now + kPurgeBatches;
    TRY(sender_.purge(now, [this](const auto& ids) { return may_be_sent_again(ids); }));
  }
  return false;
}

}  // namespace cmpost
