// What an auditor wants to know of a run, and how it is checked that nobody has changed it.
#pragma once

#include <string>

#include "report/run_report.h"

namespace cmpost {

std::string auditor_section(const RunFacts& facts);

}  // namespace cmpost
