// The requests that did not get what they asked for, one by one.
#pragma once

#include "report/report_sink.h"
#include "report/run_report.h"

namespace cmpost {

// At most kItemsOnPage: what got nothing or waits first, then what was changed; it says how many
// more there are. Asks for the items twice.
Result<void> print_item_table(const RunItems& items, const ReportSink& put);

}  // namespace cmpost
