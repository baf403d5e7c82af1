#include "app/service/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "base/log.h"
#include "report/words.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 20s;  // what "lately" is
constexpr auto kBetweenLines = 10s;

// A time of another day has its day.
std::string local_time(Time at, Time now) {
  const auto broken_down = [](Time when) {
    const auto seconds = static_cast<std::time_t>(
        std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count());
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
  };
  const auto then = broken_down(at), today = broken_down(now);
  const bool same_day = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), same_day ? "%H:%M" : "%Y-%m-%d %H:%M", &then);
  return text.data();
}

std::string in_a_second(double rate) {
  if (rate >= 10) return grouped(static_cast<std::size_t>(std::lround(rate))) + "/s";
  const auto tenths = std::lround(rate * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "/s";
}

}  // namespace

void Progress::end() { log::keep_below({}); }

void Progress::look(const ProgressFacts& facts) {
  const auto now = steady_.now();
  looks_.push_back({now, facts.done});
  while (looks_.size() > 2 && now - looks_.front().at > kWindow) looks_.pop_front();
}

double Progress::rate() const {
  if (looks_.size() < 2 || looks_.back().at <= looks_.front().at) return 0;
  const std::chrono::duration<double> time = looks_.back().at - looks_.front().at;
  return static_cast<double>(looks_.back().done - looks_.front().done) / time.count();
}

std::optional<Duration> Progress::time_left(const ProgressFacts& facts) const {
  constexpr double kMost = 3e8;  // seconds: nobody waits for that
  if (facts.left == 0 || rate() <= 0) return std::nullopt;
  const auto seconds = static_cast<double>(facts.left) / rate();
  if (seconds > kMost) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string Progress::line(const ProgressFacts& facts, Time now) const {
  auto text = grouped(facts.done) + " of " + grouped(facts.done + facts.left);
  if (!facts.all_taken_in) text += " so far";
  if (rate() > 0) text += " · " + in_a_second(rate());
  if (facts.refused > 0) text += " · " + grouped(facts.refused) + " refused";
  if (facts.left == 0 && facts.to_send > 0) {
    text += " · " + grouped(facts.to_send) + " answers to send";
  }
  if (const auto left = time_left(facts)) text += " · ready " + local_time(now + *left, now);
  return text;
}

void Progress::tell(const ProgressFacts& facts) {
  look(facts);
  log::keep_below(line(facts, SystemClock().now()));
  if (log::keeps_lines() || steady_.now() - told_ < kBetweenLines) return;
  told_ = steady_.now();
  const auto left = time_left(facts);
  log::info("run.progress",
            {{"done", facts.done},
             {"left", facts.left},
             {"refused", facts.refused},
             {"to_send", facts.to_send},
             {"a_second", std::lround(rate())},
             {"ready", left ? to_iso8601(SystemClock().now() + *left) : std::string("?")}});
}

}  // namespace cmpost
