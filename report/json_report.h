// A run for programs: all facts and all items, numbers as they are.
#pragma once

#include "report/headline.h"
#include "report/report_sink.h"
#include "report/run_report.h"

namespace cmpost {

// One object: `format`, `headline`, `facts`, `items`; docs/reports.md names its members. A time is
// a text as of to_iso8601(), what is not known is null, and text of others is valid UTF-8 and else
// as it came: whoever shows it has to escape it. Uses memory for one item. An Error is that of
// `items` or of `put`.
Result<void> print_json_report(const RunFacts& facts, const Headline& first, const RunItems& items,
                               const ReportSink& put);

}  // namespace cmpost
