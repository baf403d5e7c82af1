#include "report/html_results.h"

#include "report/html_text.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, kItemResults> kResultWords = {
    "Granted as asked", "Granted with changes", "Granted in part", "Waiting",
    "Refused",          "Held for an operator"};

std::string swatch(ItemResult result) {
  return "<svg class=\"swatch\" aria-hidden=\"true\"><rect width=\"100%\" height=\"100%\" "
         "class=\"" +
         std::string(to_string(result)) + "\"/></svg>";
}

}  // namespace

std::string_view result_words(ItemResult result) {
  return kResultWords[static_cast<std::size_t>(result)];
}

std::string result_label(ItemResult result) { return swatch(result) + html(result_words(result)); }

std::vector<BarPart> parts_of(const RunCounts& counts) {
  std::vector<BarPart> parts;
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    parts.push_back({std::string(to_string(result)), counts[result]});
  }
  return parts;
}

std::string legend_of(const RunCounts& counts) {
  std::string out;
  for (std::size_t i = 0; i < kItemResults; ++i) {
    const auto result = static_cast<ItemResult>(i);
    if (counts[result] > 0) out += element("span", "", result_label(result));
  }
  return element("div", "class=\"legend\"", out);
}

RunCounts with_unlisted(const RunFacts& facts) {
  auto counts = facts.counts;
  counts[ItemResult::refused] += facts.unlisted;
  return counts;
}

}  // namespace cmpost
