// Where a printer puts what it has made, piece by piece: a report may be larger than memory.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// Takes the next octets of a file. An Error ends the printing and is handed on.
using ReportSink = std::function<Result<void>(std::string_view text)>;

}  // namespace cmpost
