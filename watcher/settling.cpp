#include "watcher/settling.h"

#include <algorithm>
#include <utility>

namespace cmpost {
namespace {

constexpr int kPatience = 10;

bool is_old(const Look& look, std::int64_t file_system_now, Duration settle) {
  if (file_system_now == 0) return false;
  return file_system_now - look.ctime_nanos >=
         std::chrono::duration_cast<std::chrono::nanoseconds>(settle).count();
}

}  // namespace

Readiness Settling::look_at(const std::string& name, const Look& look, Time steady_now,
                            std::int64_t file_system_now) {
  auto& sighting = sightings_[name];
  if (sighting.look != look) {
    sighting = {.look = look, .since = steady_now, .announced = sighting.announced};
  }
  sighting.news = false;
  const auto settle = settle_of(sighting);
  if (is_old(look, file_system_now, settle) || steady_now - sighting.since >= settle) {
    sighting.settled = true;
  }
  if (sighting.settled) return Readiness::settled;
  return sighting.announced ? Readiness::announced : Readiness::unsettled;
}

Readiness Settling::wait_for_more(const std::string& name, const Look& look, Time steady_now,
                                  std::int64_t file_system_now) {
  auto& sighting = sightings_[name];
  if (!sighting.cut_off) sighting.settled = false;
  sighting.cut_off = true;
  return look_at(name, look, steady_now, file_system_now);
}

Duration Settling::settle_of(const Sighting& sighting) const {
  return sighting.cut_off ? kPatience * settle_ : settle_;
}

void Settling::cannot_look_at(const std::string& name) {
  auto& sighting = sightings_[name];
  sighting.look.reset();
  sighting.settled = true;
}

bool Settling::first_report(const std::string& name, const std::string& why) {
  auto& sighting = sightings_[name];
  if (!sighting.look) sighting.settled = true;
  sighting.news = false;
  return std::exchange(sighting.why, why).empty();
}

std::vector<StuckInput> Settling::stuck_inputs() const {
  std::vector<StuckInput> inputs;
  for (const auto& [name, sighting] : sightings_) {
    if (!sighting.why.empty()) inputs.push_back({name, sighting.why, 0, std::nullopt});
  }
  return inputs;
}

void Settling::keep_only(const std::set<std::string>& names) {
  std::erase_if(sightings_, [&](const auto& entry) { return !names.contains(entry.first); });
}

std::size_t Settling::unsettled() const {
  return static_cast<std::size_t>(
      std::count_if(sightings_.begin(), sightings_.end(),
                    [](const auto& entry) { return !entry.second.settled; }));
}

std::size_t Settling::stuck() const { return sightings_.size() - unsettled(); }

std::vector<std::string> Settling::worth_a_look(Time steady_now) const {
  std::vector<std::string> names;
  for (const auto& [name, sighting] : sightings_) {
    const bool due = !sighting.settled && steady_now - sighting.since >= settle_of(sighting);
    if (sighting.news || due) names.push_back(name);
  }
  return names;
}

Time Settling::next_look() const {
  Time next = Time::max();
  for (const auto& [name, sighting] : sightings_) {
    if (sighting.news) return Time::min();
    if (!sighting.settled) next = std::min(next, sighting.since + settle_of(sighting));
  }
  return next;
}

}  // namespace cmpost
