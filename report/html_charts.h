// The pictures of the page, each with its numbers in words beside it.
#pragma once

#include <string>

#include "report/run_report.h"

namespace cmpost {

std::string results_section(const RunFacts& facts);
std::string hours_section(const RunFacts& facts);
std::string reasons_section(const RunFacts& facts);  // the eight most frequent, and the rest
std::string runs_section(const RunFacts& facts);     // this one and those before it
std::string expiring_section(const RunFacts& facts);
std::string channels_section(const RunFacts& facts);

// So many columns at most stand for the hours of a run: a longer one has several hours in each.
inline constexpr std::size_t kHourColumns = 72;

}  // namespace cmpost
