// The items of a run as a table for spreadsheets: RFC 4180, UTF-8, a line each, none left out.
#pragma once

#include <string>
#include <string_view>

#include "report/report_sink.h"
#include "report/run_report.h"

namespace cmpost {

// A cell in quotation marks. What others have written is made printable, and is text to a
// spreadsheet: what would begin a formula (= + - @, also behind blanks, of full width, or behind a
// semicolon, which many take for the end of a cell) has an apostrophe before it.
std::string csv_text(std::string_view text);

// Uses memory for one item. An Error is that of `items` or of `put`.
Result<void> print_csv(const RunFacts& facts, const RunItems& items, const ReportSink& put);

}  // namespace cmpost
