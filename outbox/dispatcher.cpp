#include "outbox/dispatcher.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGroup = 500;
constexpr Duration kFirstRest = 5s, kLongestRest = 5min;
constexpr Duration kTend = 1s;

}  // namespace

Dispatched& Dispatched::operator+=(const Dispatched& other) {
  sent += other.sent;
  deferred += other.deferred;
  held += other.held;
  return *this;
}

Dispatcher::Dispatcher(JobQueue& replies, std::vector<Egress*> channels, const Clock& wall,
                       const Clock& steady, Random& random, WayBook& ways)
    : replies_(replies), wall_(wall), steady_(steady), random_(random) {
  for (auto* egress : channels) {
    auto& way = ways.of(egress->channel(), Way::out);
    channels_[egress->channel()] = {egress, Time::min(), kFirstRest, {}, &way};
  }
}

Result<Dispatched> Dispatcher::step(const std::stop_token& stop) {
  TRY(finish_sent());
  if (steady_.now() >= next_tend_) TRY(tend_all());
  if (all_rest()) return Dispatched{};
  ASSIGN_OR_RETURN(auto leases, replies_.take(kGroup));
  std::map<std::string, std::vector<Lease>> groups;
  for (auto& lease : leases) {
    groups[lease.job.envelope.reply.channel].push_back(std::move(lease));
  }
  Dispatched all;
  for (const auto& [name, group] : groups) {
    const auto channel = channels_.find(name);
    ASSIGN_OR_RETURN(const Dispatched done, channel == channels_.end()
                                                ? hold_all(group)
                                                : send(channel->second, group, stop));
    all += done;
  }
  return all;
}

bool Dispatcher::all_rest() const {
  const auto now = steady_.now();
  return !channels_.empty() &&
         std::all_of(channels_.begin(), channels_.end(),
                     [&](const auto& entry) { return now < entry.second.rests_until; });
}

Result<void> Dispatcher::tend_all() {
  next_tend_ = steady_.now() + kTend;
  for (auto& [name, channel] : channels_) {
    if (steady_.now() < channel.rests_until) continue;
    const auto back = channel.egress->tend();
    if (!back) {
      note_trouble(channel, back.error());
    } else if (*back) {
      TRY(replies_.wake(name));
    }
  }
  return {};
}

Result<void> Dispatcher::finish_sent() {
  while (!sent_.empty()) {
    const auto first = sent_.begin();
    TRY(replies_.finish(first->second, first->first));
    crash_point("outbox.finished");
    sent_.erase(first);
  }
  return {};
}

Result<Dispatched> Dispatcher::send(Channel& channel, Group leases, const std::stop_token& stop) {
  Dispatched all;
  while (!leases.empty()) {
    const bool stopped = stop.stop_requested();
    const bool rests = steady_.now() < channel.rests_until;
    if (stopped || rests) {
      ASSIGN_OR_RETURN(const Dispatched rest,
                       stopped ? defer_all(leases, wall_.now(), "the service was stopped")
                               : defer_all(leases, due_after(rest_of(channel)), channel.trouble));
      return all += rest;
    }
    const auto group = leases.first(std::min(channel.egress->group(), leases.size()));
    leases = leases.subspan(group.size());
    ASSIGN_OR_RETURN(const Dispatched done, send_group(channel, group, stop));
    all += done;
  }
  return all;
}

Result<Dispatched> Dispatcher::send_group(Channel& channel, Group group,
                                          const std::stop_token& stop) {
  const auto deliveries = channel.egress->send(group, stop);
  CHECK(deliveries.each.size() == group.size());
  note_trouble(channel, deliveries.trouble);
  return end(channel, group, deliveries, stop.stop_requested());
}

Result<Dispatched> Dispatcher::end(const Channel& channel, Group group,
                                   const Deliveries& deliveries, bool stopped) {
  const std::string verb(channel.egress->verb());
  Dispatched done;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (deliveries.each[i].what != Delivery::What::sent) continue;
    const auto& job = group[i].job;
    sent_[verb].push_back(job.id);
    ++done.sent;
    log::info("answer." + verb, {{"job", job.id.text()},
                                 {"tid", job.envelope.tid},
                                 {"channel", job.envelope.reply.channel},
                                 {"body", job.envelope.body},
                                 {"to", deliveries.each[i].detail}});
  }
  TRY(finish_sent());
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& [what, detail, after, paced] = deliveries.each[i];
    const auto& id = group[i].job.id;
    if (what == Delivery::What::held) {
      TRY(replies_.hold(id, detail));
      ++done.held;
      log::warning("answer.held", {{"job", id.text()}, {"reason", detail}});
    } else if (what == Delivery::What::deferred) {
      ++done.deferred;
    }
  }
  TRY(defer(channel, group, deliveries, stopped));
  return done;
}

// One commit for all that are due at one time for one reason.
Result<void> Dispatcher::defer(const Channel& channel, Group group, const Deliveries& deliveries,
                               bool stopped) {
  std::map<std::pair<Duration, std::string>, std::vector<JobId>> groups;
  const auto rest = deliveries.trouble ? rest_of(channel) : Duration::zero();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& delivery = deliveries.each[i];
    if (delivery.what != Delivery::What::deferred) continue;
    const auto delay = delivery.after       ? *delivery.after
                       : deliveries.trouble ? rest
                       : stopped            ? Duration::zero()
                                            : backoff(group[i].attempts, random_);
    groups[{delay, delivery.detail}].push_back(group[i].job.id);
    if (delivery.paced) paced_until_ = std::max(paced_until_, steady_.now() + delay + kTend);
  }
  for (const auto& [key, ids] : groups) {
    TRY(replies_.defer_all(ids, due_after(key.first), key.second));
  }
  return {};
}

Result<Dispatched> Dispatcher::defer_all(Group group, Time due, const std::string& why) {
  std::vector<JobId> ids;
  for (const auto& lease : group) ids.push_back(lease.job.id);
  TRY(replies_.defer_all(ids, due, why));
  return Dispatched{.deferred = group.size()};
}

Result<Dispatched> Dispatcher::hold_all(Group group) {
  for (const auto& lease : group) {
    const auto reason =
        "there is no channel '" + printable(lease.job.envelope.reply.channel) + "' to send it by";
    TRY(replies_.hold(lease.job.id, reason));
    log::warning("answer.held", {{"job", lease.job.id.text()}, {"reason", reason}});
  }
  return Dispatched{.held = group.size()};
}

void Dispatcher::note_trouble(Channel& channel, const std::optional<Error>& trouble) {
  const auto& name = channel.egress->channel();
  if (!trouble) {
    if (!channel.trouble.empty()) log::info("channel.recovered", {{"channel", name}});
    channel.trouble.clear();
    channel.next_rest = kFirstRest;
    channel.way->works();
    return;
  }
  if (channel.trouble != trouble->what) {
    log::error("channel.failing",
               {{"channel", name}, {"reason", trouble->what}, {"hint", trouble->hint}});
  }
  channel.trouble = trouble->what;
  channel.rests_until = steady_.now() + channel.next_rest;
  channel.way->rests(*trouble, channel.next_rest);
  channel.next_rest = std::min(2 * channel.next_rest, kLongestRest);
}

}  // namespace cmpost
