#include "watcher/reluctant_inputs.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr int kTries = 3;
constexpr auto kFirstRest = std::chrono::minutes(10);
constexpr int kMostDoublings = 7;  // somewhat less than a day

}  // namespace

bool ReluctantInputs::failed(const std::string& input, const std::string& why, Time now) {
  auto& known = inputs_[input];
  ++known.tries;
  known.why = why;
  if (known.tries < kTries) return false;
  known.again = now + kFirstRest * (1 << std::min(known.tries - kTries, kMostDoublings));
  return known.tries == kTries;
}

bool ReluctantInputs::came(const std::string& input) {
  const auto known = inputs_.find(input);
  if (known == inputs_.end()) return false;
  const bool was_left_out = known->second.tries >= kTries;
  inputs_.erase(known);
  return was_left_out;
}

bool ReluctantInputs::rests(const std::string& input, Time now) const {
  const auto known = inputs_.find(input);
  return known != inputs_.end() && now < known->second.again;
}

std::size_t ReluctantInputs::left_out() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(inputs_, [](const auto& one) { return one.second.tries >= kTries; }));
}

std::vector<StuckInput> ReluctantInputs::stuck(Time now) const {
  std::vector<StuckInput> inputs;
  for (const auto& [name, input] : inputs_) {
    if (input.tries < kTries) continue;
    inputs.push_back({name, input.why, input.tries, std::max(input.again - now, Duration::zero())});
  }
  return inputs;
}

void ReluctantInputs::keep_only(const std::set<std::string>& named) {
  std::erase_if(inputs_, [&](const auto& one) { return !named.contains(one.first); });
}

}  // namespace cmpost
