// What a run leaves for people to do, in the words of somebody who has never seen the product, with
// the command for the one who operates it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run_report.h"

namespace cmpost {

// What an entry means for the run as a whole.
enum class Light {
  green,   // usual work: nothing is wrong
  yellow,  // somebody has to look or decide, the sooner the better
  red,     // work stands still, or something has run out: act now
};
std::string_view to_string(Light light);

// What there may be to do, in the order in which it is told; the heavier light comes first.
enum class Task {
  add_up,        // the items are not what was counted
  go_on,         // the run did not come to its end
  renew_crl,     // it has ended, or does so before there is another
  renew_own,     // a certificate of ours has ended, or soon will
  mend_channel,  // it could not be read, or not be written to
  free_held,     // requests that nobody could work on
  decide,        // requests that wait for people
  send_undeliverable,
  help_before,
  look_at_refused,  // refused, or granted in part
  look_at_unlisted,
  work_on_rest,  // requests in the queue that were not worked on
  send_answers,
  carry_answers,
  await_above,  // requests that wait for a CA above
};
std::string_view to_string(Task task);

struct ToDo {
  Task task = Task::add_up;
  Light light = Light::green;
  std::string what;  // "5 requests wait for a decision": the reason of the light, too
  std::string how;   // one or two sentences
  std::vector<std::string> commands;  // for the operator, one after the other; may be none
};

// Decided by types and numbers, as they were when the run ended; what others have written is made
// printable. `listed`: the sums over the items, which have to be `facts.counts`.
std::vector<ToDo> what_to_do(const RunFacts& facts, const RunCounts& listed);

// A certificate of ours that has no more than that left has to be renewed.
inline constexpr auto kOwnEndsSoon = std::chrono::days(30);
// The same for the CRL when it is not known when the next run is.
inline constexpr auto kCrlEndsSoon = std::chrono::days(1);

}  // namespace cmpost
