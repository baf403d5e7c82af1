#include "orders/orders_by_program.h"

#include <algorithm>

#include "asn1/pem.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/pause.h"
#include "orders/not_placed.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using Sent = Delivery::What;

constexpr auto kStopped = "the service was stopped";
constexpr Duration kLook = 1s;  // into the book

std::string source_of(const JobId& asked) { return "answer to " + asked.text(); }

ProgramRun run_of(const ChannelSettings& settings, const char* operation, const std::string& tid,
                  ByteView cookie, ByteView request) {
  const auto& orders = *settings.orders();
  ProgramRun run;
  run.program = orders.command;
  run.environment = {{"CMPOST_OPERATION", operation},
                     {"CMPOST_ORDER", order_name(tid)},
                     {"CMPOST_COOKIE", std::string(text_of(cookie))},
                     {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                     {"LC_ALL", "C.UTF-8"}};
  run.input = to_bytes(to_pem_text("CERTIFICATE REQUEST", request));
  run.most_output = settings.max_message;
  run.time_limit = orders.time_limit;
  return run;
}

OrderNews news_of(const ProgramVerdict& verdict) {
  return verdict.what == ProgramVerdict::What::refused ? OrderNews::refused
                                                       : OrderNews::certificates;
}

}  // namespace

OrdersByProgramEgress::OrdersByProgramEgress(const ChannelSettings& settings, const Queues& queues,
                                             const Clock& wall, const Clock& steady)
    : settings_(settings),
      replies_(queues.replies),
      standing_(queues.standing),
      wall_(wall),
      deposit_(settings_, queues.requests, steady),
      signs_(settings.state + "/unanswered"),
      book_(settings.state + "/placed") {}

Deliveries OrdersByProgramEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  Deliveries all;
  all.each.resize(leases.size());
  if (auto tidied = tidy(); !tidied) all.trouble = std::move(tidied).error();
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (all.trouble || stop.stop_requested()) {
      all.each[i] = {Sent::deferred, all.trouble ? to_string(*all.trouble) : kStopped};
      continue;
    }
    auto delivery = bring(leases[i], stop, all);
    if (delivery) {
      all.each[i] = *std::move(delivery);
    } else {
      all.each[i] = {Sent::deferred, to_string(delivery.error())};
      all.trouble = std::move(delivery).error();
    }
  }
  return all;
}

// A sign must outlive the lease of its job: without it a job that was placed and not ended would
// be placed again.
Result<void> OrdersByProgramEgress::tidy() {
  const auto is_over = [&](const JobId& id) -> Result<bool> {
    ASSIGN_OR_RETURN(const auto job, replies_.find(id));
    return !job || job->state == JobState::done;
  };
  if (!tidied_) TRY(signs_.tidy(is_over));
  tidied_ = true;
  for (auto at = told_.begin(); at != told_.end();) {
    ASSIGN_OR_RETURN(const bool over, is_over(*at));
    if (over) TRY(signs_.remove(*at));
    at = over ? told_.erase(at) : std::next(at);
  }
  return {};
}

Result<Delivery> OrdersByProgramEgress::bring(const Lease& lease, const std::stop_token& stop,
                                              Deliveries& all) {
  const auto& id = lease.job.id;
  if (lease.job.envelope.body == kRevocationOrder)
    return Delivery{Sent::sent, std::string(kListed)};
  if (kept_.contains(id)) return deposit(lease);
  ASSIGN_OR_RETURN(auto known, what_became_of(lease));
  if (known) return *std::move(known);
  ASSIGN_OR_RETURN(auto stays, not_placed(lease.job, standing_));
  if (stays) return *std::move(stays);
  return submit(lease, stop, all);
}

// Of one that may have been placed before. Where a person was asked, and has released it since, he
// has looked; without the question he knew of nothing.
Result<std::optional<Delivery>> OrdersByProgramEgress::what_became_of(const Lease& lease) {
  const auto& id = lease.job.id;
  ASSIGN_OR_RETURN(const auto sign, signs_.find(id));
  if (sign.what == Unanswered::Sign::What::none) return std::nullopt;
  ASSIGN_OR_RETURN(const auto placed, book_.find(id));
  if (placed) return sent(id, "placed");
  ASSIGN_OR_RETURN(const bool answered, is_answered(id));
  if (answered) return sent(id, "answered");
  if (sign.is_released(lease)) {
    TRY(signs_.remove(id));
    return std::nullopt;
  }
  TRY(signs_.ask(lease));
  return held(lease, Error{Recovery::retry, "the process died before it was told", {}});
}

Result<bool> OrdersByProgramEgress::is_answered(const JobId& id) {
  JobFilter filter;
  filter.channel = channel();
  filter.source = source_of(id);
  ASSIGN_OR_RETURN(const auto answers, deposit_.queue().list(filter));
  return std::ranges::any_of(
      answers, [&](const JobStatus& job) { return job.envelope.source == source_of(id); });
}

Result<Delivery> OrdersByProgramEgress::submit(const Lease& lease, const std::stop_token& stop,
                                               Deliveries& all) {
  const auto& job = lease.job;
  TRY(signs_.add(job.id));
  crash_point("orders.asking");
  const auto run = run_of(settings_, "SUBMIT", job.envelope.tid, {}, job.payload);
  auto end = run_program(run, stop);
  crash_point("orders.asked");
  return settle(lease, judge_program(std::move(end), run.program), all);
}

Result<Delivery> OrdersByProgramEgress::settle(const Lease& lease, ProgramVerdict verdict,
                                               Deliveries& all) {
  using What = ProgramVerdict::What;
  const auto& [id, envelope, request] = lease.job;
  switch (verdict.what) {
    case What::issued:
    case What::refused:
      kept_[id] = order_job(channel(), news_of(verdict), envelope.tid, source_of(id),
                            std::move(verdict.payload));
      return deposit(lease);
    case What::working: {
      const auto now = wall_.now();
      const auto after = verdict.after.value_or(settings_.orders()->poll);
      TRY(book_.write({id, envelope.tid, std::move(verdict.payload), request, now, now + after}));
      crash_point("orders.placed");
      return sent(id, "placed");
    }
    case What::not_now:
      TRY(signs_.remove(id));
      all.trouble = verdict.why;
      return Delivery{Sent::deferred, to_string(verdict.why)};
    case What::unknown:
      break;
  }
  TRY(signs_.ask(lease));
  return held(lease, verdict.why);
}

Result<Delivery> OrdersByProgramEgress::deposit(const Lease& lease) {
  const auto& id = lease.job.id;
  const auto& job = kept_.at(id);
  Intake intake;
  TRY(deposit_.put({&job, 1}, intake));
  crash_point("orders.deposited");
  deposit_.log_arrivals({&job, 1});
  kept_.erase(id);
  return sent(id, "answered");
}

Delivery OrdersByProgramEgress::sent(const JobId& id, std::string detail) {
  told_.insert(id);
  return {Sent::sent, settings_.orders()->command + ": " + std::move(detail)};
}

Delivery OrdersByProgramEgress::held(const Lease& lease, const Error& why) const {
  const auto order = order_name(lease.job.envelope.tid);
  return {Sent::held, "nobody knows whether the order was placed: " + why.what +
                          " (look first whether the CA has order " + order +
                          ": `cmpost order resubmit " + order + "` places it once more)"};
}

OrdersByProgramIngress::OrdersByProgramIngress(const ChannelSettings& settings, JobQueue& requests,
                                               const Clock& wall, const Clock& steady)
    : settings_(settings),
      wall_(wall),
      deposit_(settings_, requests, steady),
      book_(settings.state + "/placed") {}

// What cannot be asked about now keeps nobody else from being asked about.
Result<Intake> OrdersByProgramIngress::poll(const std::stop_token& stop) {
  Intake intake;
  ASSIGN_OR_RETURN(const auto pages, book_.all());
  note_unreadable(pages.unreadable);
  intake.stuck = stuck_.size();
  std::optional<Error> trouble;
  for (const auto& order : pages.orders) {
    if (stop.stop_requested()) break;
    if (order.due > wall_.now()) continue;
    ASSIGN_OR_RETURN(const auto room, deposit_.room());
    if (room.jobs() == 0) break;
    if (auto asked = ask(order, stop, intake); !asked && !stop.stop_requested()) {
      trouble = std::move(asked).error();
    }
  }
  deposit_.tell_gate(intake);
  if (trouble) return failure(*std::move(trouble));
  return intake;
}

// Each is told of once; the others are asked about all the same.
void OrdersByProgramIngress::note_unreadable(const std::map<std::string, Error>& unreadable) {
  std::vector<StuckInput> stuck;
  for (const auto& [name, why] : unreadable) {
    const bool known = std::ranges::any_of(
        stuck_, [&](const StuckInput& one) { return one.why == to_string(why); });
    if (!known) {
      log::error("order.unreadable",
                 {{"channel", channel()}, {"reason", why.what}, {"hint", why.hint}});
    }
    stuck.push_back({"the order in placed/" + name, to_string(why), 0, std::nullopt});
  }
  stuck_ = std::move(stuck);
}

Result<void> OrdersByProgramIngress::ask(PlacedOrder order, const std::stop_token& stop,
                                         Intake& intake) {
  using What = ProgramVerdict::What;
  const auto run = run_of(settings_, "POLL", order.tid, order.cookie, order.request);
  auto verdict = judge_program(run_program(run, stop), run.program);
  crash_point("orders.polled");
  switch (verdict.what) {
    case What::issued:
    case What::refused:
      return answer(order, news_of(verdict), std::move(verdict.payload), intake);
    case What::working:
      if (!verdict.payload.empty()) order.cookie = std::move(verdict.payload);
      return look_again(std::move(order), verdict.after);
    case What::not_now:
    case What::unknown:
      break;
  }
  if (!stop.stop_requested()) TRY(look_again(std::move(order), std::nullopt));
  return failure(std::move(verdict.why));
}

Result<void> OrdersByProgramIngress::answer(const PlacedOrder& order, OrderNews news, Bytes payload,
                                            Intake& intake) {
  const auto job = order_job(channel(), news, order.tid, source_of(order.id), std::move(payload));
  TRY(deposit_.put({&job, 1}, intake));
  crash_point("orders.poll_deposited");
  deposit_.log_arrivals({&job, 1});
  return book_.remove(order.id);
}

// Long after the requester has heard that nobody answers, somebody has to ask the CA.
Result<void> OrdersByProgramIngress::look_again(PlacedOrder order, std::optional<Duration> after) {
  const auto now = wall_.now();
  const auto within = settings_.upstream.answer_within;
  if (within > Duration::zero() && now > order.placed + 2 * within) {
    log::error("order.given_up", {{"order", order_name(order.tid)},
                                  {"channel", channel()},
                                  {"hint", "ask the CA what has become of it"}});
    return book_.remove(order.id);
  }
  order.due = now + after.value_or(settings_.orders()->poll);
  return book_.write(order);
}

void OrdersByProgramIngress::wait(Duration time_out, const std::stop_token& stop) {
  pause(std::min(time_out, kLook), stop);
}

}  // namespace cmpost
