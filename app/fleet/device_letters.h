// `device letters`: secrets for devices, as pages to be printed.
#pragma once

#include <string>
#include <vector>

#include "app/terminal/command_line.h"
#include "processor/devices/device_table.h"

namespace cmpost {

struct LetterOptions {
  std::vector<std::string> names;  // else `filter`
  DeviceFilter filter{};
  std::string to;
  std::string valid = "90d";
  bool again = false;
};

// The secrets count when the file is there. A device whose letter was printed before gets another
// one only with `again`, and then the earlier secret is forgotten.
Result<ExitCode> print_letters(const LetterOptions& options, const CommonOptions& common);

// Whether what was typed is a secret of a letter, by its check characters alone: from standard
// input, so that it is in no list of processes. Needs no instance.
Result<ExitCode> check_typed_secret(const CommonOptions& common);

}  // namespace cmpost
