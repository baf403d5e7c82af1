#include "report/headline.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/joined.h"
#include "report/words.h"

namespace cmpost {
namespace {

std::string name_of(const RunFacts& facts) {
  auto text = "Run " + printable(facts.name, 80);
  if (!facts.name.empty()) text += " ";
  return text + std::to_string(facts.number) + " on " + day_of(facts.started);
}

std::string opening(const RunFacts& facts) {
  switch (facts.end) {
    case RunEnd::done:
      return name_of(facts) + ": ";
    case RunEnd::stopped:
      return name_of(facts) + (facts.still_waiting == 0 ? " was stopped by a rule: "
                                                        : " was stopped before its end: ");
    case RunEnd::interrupted:
      return name_of(facts) + " was interrupted before its end: ";
    case RunEnd::failed:
      return name_of(facts) + " failed before its end: ";
  }
  return {};
}

std::string granted_words(std::uint64_t granted, std::uint64_t all) {
  if (granted == all) return "all " + count_of(all, "request") + " got what they asked for";
  const auto number = granted == 0 ? std::string("none") : grouped(granted);
  return number + " of " + count_of(all, "request") + " got what " +
         (granted == 1 ? "it" : "they") + " asked for";
}

void add_part(std::vector<std::string>& parts, std::uint64_t number, std::string_view one,
              std::string_view more) {
  if (number > 0) parts.push_back(grouped(number) + std::string(number == 1 ? one : more));
}

// What is not granted as asked, most welcome first.
std::vector<std::string> others(const RunFacts& facts) {
  const auto& counts = facts.counts;
  const auto above = std::min(facts.waiting_above, counts[ItemResult::waiting]);
  std::vector<std::string> parts;
  add_part(parts, counts[ItemResult::changed], " got it with changes", " got it with changes");
  add_part(parts, counts[ItemResult::partly], " got only a part of it", " got only a part of it");
  add_part(parts, refused_of(facts), " was refused", " were refused");
  add_part(parts, counts[ItemResult::waiting] - above, " waits for a decision",
           " wait for a decision");
  add_part(parts, above, " waits for the CA above", " wait for the CA above");
  add_part(parts, counts[ItemResult::held], " could not be worked on and is kept",
           " could not be worked on and are kept");
  return parts;
}

std::string of_one(const RunFacts& facts) {
  const auto parts = others(facts);
  if (parts.empty()) return "the one request got what it asked for";
  return "the one request" + parts.front().substr(1);  // instead of "1"
}

std::string results(const RunFacts& facts) {
  const auto all = requests_of(facts);
  const auto rest = facts.still_waiting;
  if (all == 0 && rest == 0) return "there were no requests";
  auto parts = all == 1 ? std::vector<std::string>() : others(facts);
  add_part(parts, rest, " was not worked on yet", " were not worked on yet");
  const auto first = all == 0   ? std::string("no request was worked on")
                     : all == 1 ? of_one(facts)
                                : granted_words(facts.counts[ItemResult::granted], all);
  return first + (parts.empty() ? "" : "; ") + joined(parts);
}

std::string closing(const RunFacts& facts, const RunCounts& listed) {
  if (listed != facts.counts) return "; the numbers do not add up.";
  return requests_of(facts) + facts.still_waiting == 0 ? "." : "; nothing was lost.";
}

std::string reason_of(Light light, const std::vector<ToDo>& list) {
  const auto weighs = [&](const ToDo& entry) { return entry.light == light; };
  const auto number = static_cast<std::uint64_t>(std::ranges::count_if(list, weighs));
  if (light == Light::green) {
    return list.empty() ? "The run came to its end, and nobody has to do anything."
                        : "The run came to its end; what is left to do is usual work.";
  }
  auto text = list.front().what;
  if (text.front() >= 'a' && text.front() <= 'z') text.front() -= 'a' - 'A';
  if (number > 1) text += "; and " + count_of(number - 1, "other point") + " as urgent";
  return text + ".";
}

}  // namespace

std::uint64_t requests_of(const RunFacts& facts) { return facts.counts.total() + facts.unlisted; }
std::uint64_t refused_of(const RunFacts& facts) {
  return facts.counts[ItemResult::refused] + facts.unlisted;
}

Headline headline(const RunFacts& facts, const RunCounts& listed) {
  Headline first;
  first.sentence = opening(facts) + results(facts) + closing(facts, listed);
  first.what_to_do = what_to_do(facts, listed);
  if (!first.what_to_do.empty()) first.light = first.what_to_do.front().light;
  first.because = reason_of(first.light, first.what_to_do);
  return first;
}

}  // namespace cmpost
