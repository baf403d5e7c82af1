// A run as one page: on a screen, a phone and paper, in colours and in black and white.
#pragma once

#include "report/headline.h"
#include "report/report_sink.h"
#include "report/run_report.h"

namespace cmpost {

// How many of the items that are not granted as asked the page shows; report.csv has them all.
inline constexpr std::uint64_t kItemsOnPage = 500;

// One HTML file that needs no other, no script and no network. What others have written is
// printable text in it and nothing else. Uses memory for one item and the facts. An Error is that
// of `items` or of `put`.
Result<void> print_html(const RunFacts& facts, const Headline& first, const RunItems& items,
                        const ReportSink& put);

}  // namespace cmpost
