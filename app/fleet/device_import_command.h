// `device import`: a list of devices, looked at first and taken when somebody says so.
#pragma once

#include <string>

#include "app/terminal/command_line.h"

namespace cmpost {

struct ImportOptions {
  std::string file;
  bool yes = false;  // take it; else it is only looked at
  bool all = false;  // show every row that is not the same
};

// A second time, after a kill too, only what is missing is done: rows that are there are the same.
Result<ExitCode> import_devices(const ImportOptions& options, const CommonOptions& common);

}  // namespace cmpost
