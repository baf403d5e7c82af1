#include "http/http_egress.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// One message may break the connection by something that is in it, the next one hardly.
constexpr int kLostInARow = 2;
// What has left when a stop comes is given this long for its answer.
constexpr Duration kGrace = 500ms;
constexpr Duration kNoLimit = 24h * 365;
constexpr Duration kAskForRoom = 1s;
constexpr auto kStopped = "the service was stopped";

std::string source_of(const JobId& asked) { return "answer to " + asked.text(); }

}  // namespace

struct HttpEgress::Group {
  std::span<const Lease> leases;
  Deliveries deliveries;
  std::vector<std::size_t> to_post;  // of the leases
  std::size_t next = 0;              // of to_post
  int lost = 0;                      // in a row

  void decide(std::size_t index, Delivery delivery) {
    deliveries.each[index] = std::move(delivery);
  }
  bool undecided(std::size_t index) const {
    const auto& delivery = deliveries.each[index];
    return delivery.what == Delivery::What::deferred && delivery.detail.empty();
  }
  void trouble(Error error) {
    if (!deliveries.trouble) deliveries.trouble = std::move(error);
  }
};

HttpEgress::HttpEgress(const ChannelSettings& settings, const Queues& queues, const Clock& wall,
                       const Clock& steady)
    : settings_(settings),
      peer_(to_string(settings.http()->url)),
      replies_(queues.replies),
      wall_(wall),
      steady_(steady),
      deposit_(settings_, queues.requests, steady),
      client_(*settings_.http(), settings.max_message),
      unanswered_(settings.state + "/unanswered") {}

Deliveries HttpEgress::send(std::span<const Lease> leases, const std::stop_token& stop) {
  Group group;
  group.leases = leases;
  group.deliveries.each.resize(leases.size());
  const auto work = [&]() -> Result<void> {
    TRY(tidy());
    TRY(put_answers());
    TRY(find_answered(group));
    TRY(ask_for_room(group));
    heed_retry_after(group);
    if (group.to_post.empty() || group.deliveries.trouble || stop.stop_requested()) return {};
    if (auto ready = client_.prepare(stop); !ready) {
      return failure(std::move(ready).error().within(peer_));
    }
    return post(group, stop);
  };
  auto done = work();
  auto& deliveries = group.deliveries;
  if (!done && !stop.stop_requested()) group.trouble(std::move(done).error());
  defer_rest(group);
  return std::move(deliveries);
}

// What was not decided: not tried, or its answer has come and is not in the queue yet. Before it
// is known which have perhaps been sent, and of those whose answers are here, nobody may say that
// they were not.
void HttpEgress::defer_rest(Group& group) const {
  const auto& trouble = group.deliveries.trouble;
  for (const auto index : group.to_post) {
    const auto& lease = group.leases[index];
    const bool answered = std::ranges::find(kept_, lease.job.id, &Answer::asked) != kept_.end();
    if (trouble && group.undecided(index) && !answered) {
      group.decide(index, again(lease, *trouble));
    }
  }
  for (std::size_t i = 0; i < group.leases.size(); ++i) {
    if (group.undecided(i)) {
      group.decide(i, {Delivery::What::deferred, trouble ? to_string(*trouble) : kStopped});
    }
  }
}

// A sign must outlive the lease of its job: without it a job that was answered and not ended would
// be sent again.
Result<void> HttpEgress::tidy() {
  if (!never_twice()) return {};
  const auto is_over = [&](const JobId& id) -> Result<bool> {
    ASSIGN_OR_RETURN(const auto job, replies_.find(id));
    return !job || job->state == JobState::done;
  };
  if (!tidied_) TRY(unanswered_.tidy(is_over));
  tidied_ = true;
  for (auto at = told_.begin(); at != told_.end();) {
    ASSIGN_OR_RETURN(const bool over, is_over(*at));
    if (over) TRY(unanswered_.remove(*at));
    at = over ? told_.erase(at) : std::next(at);
  }
  return {};
}

Delivery HttpEgress::sent(const JobId& id) {
  if (never_twice()) told_.insert(id);
  return {Delivery::What::sent, peer_};
}

Result<void> HttpEgress::find_answered(Group& group) {
  for (std::size_t i = 0; i < group.leases.size(); ++i) {
    ASSIGN_OR_RETURN(auto known, what_became_of(group.leases[i]));
    if (known) {
      group.decide(i, std::move(*known));
    } else {
      group.to_post.push_back(i);
    }
  }
  return {};
}

// Of a message that may have been sent before. Where a person was asked, and has released it since,
// he has looked; without the question he knew of nothing.
Result<std::optional<Delivery>> HttpEgress::what_became_of(const Lease& lease) {
  const auto& id = lease.job.id;
  if (answered_.erase(id) > 0) return sent(id);
  if (!never_twice()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto sign, unanswered_.find(id));
  if (sign.what == Unanswered::Sign::What::none) return std::nullopt;
  JobFilter filter;
  filter.channel = channel();
  filter.source = source_of(id);
  ASSIGN_OR_RETURN(const auto answers, deposit_.queue().list(filter));
  if (std::ranges::find(answers, source_of(id), [](const JobStatus& job) {
        return job.envelope.source;
      }) != answers.end()) {
    return sent(id);
  }
  if (sign.is_released(lease)) {
    // It may be a while until it can leave.
    TRY(unanswered_.remove(id));
    return std::nullopt;
  }
  TRY(unanswered_.ask(lease));
  return hold_or_repeat(lease, Error{Recovery::retry, "the process died before it was told", {}});
}

// A message whose answer could not be taken stays where it is.
Result<void> HttpEgress::ask_for_room(Group& group) {
  if (group.to_post.empty()) return {};
  ASSIGN_OR_RETURN(const auto room, deposit_.room());
  while (group.to_post.size() > room.jobs()) {
    const auto opens = deposit_.closed() ? deposit_.opens() - steady_.now() : kAskForRoom;
    group.decide(group.to_post.back(),
                 {Delivery::What::deferred, "there is no room for its answer",
                  std::max<Duration>(opens, 100ms), !deposit_.closed() || !full()});
    group.to_post.pop_back();
  }
  return {};
}

bool HttpEgress::full() const {
  Intake intake;
  deposit_.tell_gate(intake);
  return intake.stuck > 0;
}

void HttpEgress::heed_retry_after(Group& group) {
  const auto now = steady_.now();
  if (now >= not_before_ || group.to_post.empty()) return;
  for (const auto index : group.to_post) {
    group.decide(index, again(group.leases[index], asked_for_, not_before_ - now));
  }
  group.to_post.clear();
  group.trouble(asked_for_);
}

// Whatever goes wrong, what has left is waited for: its answer comes once.
Result<void> HttpEgress::post(Group& group, const std::stop_token& stop) {
  // Each message has a limit of its own.
  const Patience patience(kNoLimit, stop);
  while (!stop.stop_requested()) {
    start_some(group);
    if (client_.under_way() == 0) return {};
    TRY(take_some(group, patience, false));
  }
  const Patience grace(kGrace, {});
  while (client_.under_way() > 0 && !grace.over()) TRY(take_some(group, grace, true));
  take(group, client_.abandon(kStopped), true);
  return {};
}

void HttpEgress::start_some(Group& group) {
  while (!group.deliveries.trouble && group.next < group.to_post.size() && client_.free() > 0) {
    const auto index = group.to_post[group.next++];
    if (auto started = start(group.leases[index].job, index); !started) {
      group.trouble(std::move(started).error());
    }
  }
}

Result<void> HttpEgress::start(const Job& job, std::size_t tag) {
  if (never_twice()) TRY(unanswered_.add(job.id));
  crash_point("http.posting");
  auto started = client_.start(tag, job.payload);
  if (!started && never_twice()) TRY(unanswered_.remove(job.id));
  return started;
}

Result<void> HttpEgress::take_some(Group& group, const Patience& patience, bool stopped) {
  auto finished = client_.wait(patience);
  if (finished) {
    take(group, std::move(*finished), stopped);
    return {};
  }
  take(group, client_.abandon(finished.error().what), stopped);
  return failure(std::move(finished).error());
}

// All that has come meanwhile becomes durable in one commit.
void HttpEgress::take(Group& group, std::vector<HttpClient::Finished> finished, bool stopped) {
  if (finished.empty()) return;
  crash_point("http.answered");
  for (auto& [index, outcome] : finished) {
    auto verdict = judge_answer(std::move(outcome), settings_.max_message);
    verdict.why = std::move(verdict.why).within(peer_);
    if (auto settled = settle(group, index, std::move(verdict), stopped); !settled) {
      group.trouble(std::move(settled).error());
    }
  }
  if (auto put = put_answers(); !put) group.trouble(std::move(put).error());
  for (const auto& one : finished) {
    const auto& id = group.leases[one.tag].job.id;
    if (answered_.erase(id) > 0) group.decide(one.tag, sent(id));
  }
}

Result<void> HttpEgress::settle(Group& group, std::size_t index, HttpVerdict verdict,
                                bool stopped) {
  using What = HttpVerdict::What;
  const auto& lease = group.leases[index];
  if (verdict.what != What::unknown) group.lost = 0;
  switch (verdict.what) {
    case What::message:
      kept_.push_back(answer_to(lease, std::move(verdict.message)));
      return {};
    case What::unknown:
      group.decide(index, hold_or_repeat(lease, verdict.why));
      if (++group.lost >= kLostInARow && !stopped) group.trouble(std::move(verdict.why));
      return never_twice() ? unanswered_.ask(lease) : Result<void>();
    case What::refused:
      group.decide(index, {Delivery::What::held, to_string(verdict.why)});
      break;
    case What::later:
      if (verdict.after) {
        not_before_ = steady_.now() + *verdict.after;
        asked_for_ = verdict.why;
      }
      [[fallthrough]];
    case What::channel:
      group.decide(index, again(lease, verdict.why, verdict.after));
      if (!stopped) group.trouble(std::move(verdict.why));
      break;
  }
  return never_twice() ? unanswered_.remove(lease.job.id) : Result<void>();
}

Result<void> HttpEgress::put_answers() {
  if (kept_.empty()) return {};
  std::vector<Job> jobs;
  for (const auto& answer : kept_) jobs.push_back(answer.job);
  Intake intake;
  if (auto put = deposit_.put(jobs, intake); !put) {
    return failure(
        std::move(put).error().within("putting the answers of " + peer_ + " into the queue"));
  }
  crash_point("http.deposited");
  deposit_.log_arrivals(jobs);
  for (const auto& answer : std::exchange(kept_, {})) answered_.insert(answer.asked);
  return {};
}

HttpEgress::Answer HttpEgress::answer_to(const Lease& lease, Bytes message) const {
  const auto& asked = lease.job.id;
  const auto id = make_job_id({view_of(channel()), asked.octets, message});
  Answer answer{asked, deposit_.job_of(id, source_of(asked))};
  answer.job.payload = std::move(message);
  return answer;
}

Delivery HttpEgress::hold_or_repeat(const Lease& lease, const Error& why) const {
  if (!never_twice()) return again(lease, why);
  return {Delivery::What::held,
          "nobody knows whether it has arrived: " + why.what +
              " (look first whether the peer has issued a certificate for tid " +
              lease.job.envelope.tid + ": `cmpost queue release` sends it once more)"};
}

Delivery HttpEgress::again(const Lease& lease, const Error& why,
                           std::optional<Duration> after) const {
  const auto lifetime = settings_.http()->lifetime;
  if (wall_.now() - lease.arrived <= lifetime) {
    return {Delivery::What::deferred, to_string(why), after};
  }
  const auto hours = std::chrono::floor<std::chrono::hours>(lifetime).count();
  return {Delivery::What::held,
          "not sent within " + std::to_string(hours) + " hours: " + to_string(why)};
}

}  // namespace cmpost
