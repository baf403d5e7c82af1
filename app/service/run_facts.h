// What the report of a run says of the instance around it.
#pragma once

#include "app/instance/instance.h"
#include "processor/runs/run_table.h"
#include "report/run_report.h"

namespace cmpost {

// All that is known without its items (gather_items()). Reads ledger, spool and settings.
Result<RunFacts> facts_of(Instance& instance, const RunRow& run, const std::string& settings);
// Requests that are held on the channels of the run.
Result<std::vector<JobStatus>> held_jobs(Instance& instance, const RunRow& run);

}  // namespace cmpost
