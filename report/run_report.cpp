#include "report/run_report.h"

#include <algorithm>
#include <numeric>

namespace cmpost {
namespace {

constexpr std::array<std::string_view, kItemResults> kResults = {"granted", "changed", "partly",
                                                                 "waiting", "refused", "held"};
constexpr std::array<std::string_view, 4> kEnds = {"done", "stopped", "interrupted", "failed"};

template <typename Enum, std::size_t n>
std::optional<Enum> named(const std::array<std::string_view, n>& names, std::string_view text) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_string(ItemResult result) { return kResults[static_cast<std::size_t>(result)]; }
std::optional<ItemResult> item_result(std::string_view text) {
  return named<ItemResult>(kResults, text);
}

std::string_view to_string(RunEnd end) { return kEnds[static_cast<std::size_t>(end)]; }
std::optional<RunEnd> run_end(std::string_view text) { return named<RunEnd>(kEnds, text); }

std::uint64_t RunCounts::total() const {
  return std::accumulate(of.begin(), of.end(), std::uint64_t{0});
}

}  // namespace cmpost
