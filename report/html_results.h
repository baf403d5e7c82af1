// How the page shows what has become of requests: the same words and patterns everywhere.
#pragma once

#include <string>
#include <vector>

#include "report/run_report.h"
#include "report/svg_chart.h"

namespace cmpost {

std::string_view result_words(ItemResult result);  // "Granted with changes"
// A small picture of the pattern, then the words; HTML.
std::string result_label(ItemResult result);
// From the bottom of a column: the welcome first.
std::vector<BarPart> parts_of(const RunCounts& counts);
// Of all results that `counts` has; HTML.
std::string legend_of(const RunCounts& counts);
// The counts with those that are refused and in no list.
RunCounts with_unlisted(const RunFacts& facts);

}  // namespace cmpost
