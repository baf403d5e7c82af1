// The items of a run as a table for spreadsheets: RFC 4180, UTF-8, a line each, none left out.
#pragma once

#include "report/report_sink.h"
#include "report/run_report.h"

namespace cmpost {

// Uses memory for one item. An Error is that of `items` or of `put`.
Result<void> print_csv(const RunFacts& facts, const RunItems& items, const ReportSink& put);

}  // namespace cmpost
