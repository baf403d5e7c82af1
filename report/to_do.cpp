#include "report/to_do.h"

#include <algorithm>

#include "base/bytes.h"
#include "report/words.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, 3> kLights = {"green", "yellow", "red"};
constexpr std::array<std::string_view, 15> kTasks = {
    "add_up",           "go_on",        "renew_crl",          "renew_own",     "mend_channel",
    "free_held",        "decide",       "send_undeliverable", "help_before",   "look_at_refused",
    "look_at_unlisted", "work_on_rest", "send_answers",       "carry_answers", "await_above"};

using ToDos = std::vector<ToDo>;

std::string waits_or_wait(std::uint64_t number) { return number == 1 ? " waits" : " wait"; }
std::string was_or_were(std::uint64_t number) { return number == 1 ? " was" : " were"; }
std::string it_or_them(std::uint64_t number) { return number == 1 ? "it" : "them"; }

void add_sums(ToDos& list, const RunFacts& facts, const RunCounts& listed) {
  if (listed == facts.counts) return;
  list.push_back({Task::add_up,
                  Light::red,
                  "the numbers do not add up: " + count_of(facts.counts.total(), "request") +
                      was_or_were(facts.counts.total()) + " counted, " + grouped(listed.total()) +
                      (listed.total() == 1 ? " is" : " are") + " listed",
                  "Somebody or something has changed the records after the run. Keep this report "
                  "and a copy of the instance, and have the records checked.",
                  {"cmpost audit verify"}});
}

std::string how_it_ended(RunEnd end) {
  switch (end) {
    case RunEnd::stopped:
      return "the run was stopped by a rule";
    case RunEnd::interrupted:
      return "the run was interrupted before its end";
    case RunEnd::failed:
      return "the run failed before its end";
    case RunEnd::done:
      break;
  }
  return {};
}

std::string sentence_of(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

void add_end(ToDos& list, const RunFacts& facts) {
  if (facts.end == RunEnd::done) return;
  auto what = how_it_ended(facts.end);
  if (!facts.why.empty()) what += ": " + printable(facts.why, 300);
  auto how = facts.hint.empty() ? "Find out why, and let the rest be worked on then."
                                : sentence_of(printable(facts.hint, 500));
  list.push_back({Task::go_on,
                  Light::red,
                  std::move(what),
                  how + (facts.still_waiting == 0
                             ? " All that had come was worked on."
                             : " All requests that were not worked on are still in the queue."),
                  {"cmpost status"}});
}

void add_crl(ToDos& list, const RunFacts& facts) {
  if (!facts.crl) return;
  const auto until = facts.crl->next_update;
  const auto how =
      "Whoever checks certificates of this CA believes nothing after that time. Issue a new list, "
      "and see to it that it is put where others look for it.";
  if (until <= facts.ended) {
    list.push_back({Task::renew_crl,
                    Light::red,
                    "the revocation list (CRL) ended on " + moment_of(until),
                    how,
                    {"cmpost crl issue"}});
    return;
  }
  const auto needed = facts.next_run.value_or(facts.ended + kCrlEndsSoon);
  if (until > needed) return;
  list.push_back({Task::renew_crl,
                  Light::yellow,
                  "the revocation list (CRL) ends on " + moment_of(until) +
                      (facts.next_run ? ", before the next run" : ""),
                  how,
                  {"cmpost crl issue"}});
}

void add_own_certificates(ToDos& list, const RunFacts& facts) {
  for (const auto& [name, until] : facts.ends) {
    if (until > facts.ended + kOwnEndsSoon) continue;
    const bool ended = until <= facts.ended;
    list.push_back({Task::renew_own,
                    ended ? Light::red : Light::yellow,
                    "the " + printable(name, 80) + (ended ? " ended on " : " ends on ") +
                        day_of(until) + ", " + distance_of(until, facts.ended),
                    "Without a valid one nobody believes what is issued or answered here. Have it "
                    "renewed; the manual says how, and for the CA it takes planning.",
                    {"cmpost check"}});
  }
}

void add_channels(ToDos& list, const RunFacts& facts) {
  for (const auto& channel : facts.channels) {
    if (channel.trouble.empty()) continue;
    list.push_back({Task::mend_channel,
                    Light::yellow,
                    "the channel " + printable(channel.name, 80) +
                        " had trouble: " + printable(channel.trouble, 300),
                    "Requests may lie there unread, or answers may not leave. Mend the path, "
                    "server or medium; the next run tries again.",
                    {"cmpost status"}});
  }
}

void add_held(ToDos& list, const RunFacts& facts) {
  const auto number = facts.counts[ItemResult::held];
  if (number == 0) return;
  list.push_back({Task::free_held,
                  Light::yellow,
                  count_of(number, "request") + " could not be worked on and" +
                      waits_or_wait(number) + " for an operator",
                  "Nothing is lost: each one says why it stopped. Mend that, then let " +
                      it_or_them(number) + " go again.",
                  {"cmpost queue list --state held", "cmpost queue retry ID"}});
}

std::uint64_t above(const RunFacts& facts) {
  return std::min(facts.waiting_above, facts.counts[ItemResult::waiting]);
}

void add_decisions(ToDos& list, const RunFacts& facts) {
  const auto number = facts.counts[ItemResult::waiting] - above(facts);
  if (number == 0) return;
  list.push_back(
      {Task::decide,
       Light::yellow,
       count_of(number, "request") + waits_or_wait(number) + " for a decision",
       "Somebody who may decide looks at " + it_or_them(number) +
           ", and approves or rejects. The requesters wait until then.",
       {"cmpost transaction list --state waiting", "cmpost approve TID", "cmpost reject TID"}});
}

void add_not_sendable(ToDos& list, const RunFacts& facts) {
  const auto number = facts.not_sendable;
  if (number == 0) return;
  list.push_back({Task::send_undeliverable,
                  Light::yellow,
                  count_of(number, "answer") + " cannot be sent",
                  "Each says why, for instance an address that does not exist. Mend that, and "
                  "send " +
                      it_or_them(number) + " again.",
                  {"cmpost queue list --state held"}});
}

void add_before(ToDos& list, const RunFacts& facts) {
  const auto number = facts.held_before + facts.undecided_before;
  if (number == 0) return;
  list.push_back({Task::help_before,
                  Light::yellow,
                  count_of(number, "request") + " of before this run" + waits_or_wait(number) +
                      " for people: " + grouped(facts.undecided_before) + " for a decision, " +
                      grouped(facts.held_before) + " held for an operator",
                  "They are in no list below: an earlier report has told of " + it_or_them(number) +
                      ", or " + (number == 1 ? "it" : "they") + " came in no run.",
                  {"cmpost transaction list --state waiting", "cmpost queue list --state held"}});
}

void add_refused(ToDos& list, const RunFacts& facts) {
  const auto refused = facts.counts[ItemResult::refused] + facts.unlisted;
  const auto partly = facts.counts[ItemResult::partly];
  if (refused + partly == 0) return;
  auto what = refused > 0
                  ? count_of(refused, "request") + was_or_were(refused) + " refused"
                  : count_of(partly, "request") + was_or_were(partly) + " granted only in part";
  if (refused > 0 && partly > 0) what += ", and " + grouped(partly) + " granted only in part";
  list.push_back({Task::look_at_refused,
                  Light::yellow,
                  std::move(what),
                  "Each requester has got an answer that says why. Look whether devices of yours "
                  "are among them: they have to be mended and must ask again.",
                  {"cmpost transaction list --state refused", "cmpost explain TID"}});
}

void add_unlisted(ToDos& list, const RunFacts& facts) {
  if (facts.unlisted == 0) return;
  list.push_back({Task::look_at_unlisted,
                  Light::yellow,
                  "of the refused, " + count_of(facts.unlisted, "request") +
                      (facts.unlisted == 1 ? " is" : " are") + " counted but not listed",
                  "So many were refused that the list was full. That many is no accident: find "
                  "out who sends them.",
                  {"cmpost transaction list --state refused"}});
}

void add_rest(ToDos& list, const RunFacts& facts) {
  const auto number = facts.still_waiting;
  if (number == 0) return;
  const bool done = facts.end == RunEnd::done;
  list.push_back({Task::work_on_rest,
                  Light::yellow,
                  count_of(number, "request") + was_or_were(number) + " not worked on yet",
                  done ? "They stay in the queue, and the next run works on them."
                       : "They stay in the queue until work goes on.",
                  {"cmpost queue list"}});
}

void add_answers(ToDos& list, const RunFacts& facts) {
  const auto number = facts.still_to_send;
  if (number == 0) return;
  list.push_back(
      {Task::send_answers,
       Light::yellow,
       count_of(number, "answer") + (number == 1 ? " has" : " have") + " still to be sent",
       "It is tried again by itself. If there are more tomorrow, look at the channels.",
       {"cmpost queue list --state deferred"}});
}

void add_courier(ToDos& list, const RunFacts& facts) {
  const auto number = facts.for_the_courier;
  if (number == 0) return;
  list.push_back({Task::carry_answers,
                  Light::green,
                  count_of(number, "answer") + waits_or_wait(number) + " for the courier",
                  "Make a bundle, and let it be carried to the other side.",
                  {"cmpost bundle export"}});
}

void add_above(ToDos& list, const RunFacts& facts) {
  const auto number = above(facts);
  if (number == 0) return;
  list.push_back({Task::await_above,
                  Light::green,
                  count_of(number, "request") + waits_or_wait(number) + " for the CA above",
                  "They are answered when that CA has answered.",
                  {"cmpost transaction list --state waiting"}});
}

}  // namespace

std::string_view to_string(Light light) { return kLights[static_cast<std::size_t>(light)]; }
std::string_view to_string(Task task) { return kTasks[static_cast<std::size_t>(task)]; }

std::vector<ToDo> what_to_do(const RunFacts& facts, const RunCounts& listed) {
  ToDos list;
  add_sums(list, facts, listed);
  for (const auto add : {add_end, add_crl, add_own_certificates, add_channels, add_held,
                         add_decisions, add_not_sendable, add_before, add_refused, add_unlisted,
                         add_rest, add_answers, add_courier, add_above}) {
    add(list, facts);
  }
  std::ranges::stable_sort(list, std::ranges::greater(), &ToDo::light);
  return list;
}

}  // namespace cmpost
