// `device retire` and `device reinstate`.
#pragma once

#include <string>
#include <vector>

#include "app/terminal/command_line.h"

namespace cmpost {

struct RetireOptions {
  std::vector<std::string> names;
  std::string reason;
  std::string revoke;  // a reason of RFC 5280: what the devices have is revoked as well
};

// Tells which certificates of them still count.
Result<ExitCode> retire_devices(const RetireOptions& options, const CommonOptions& common);
Result<ExitCode> reinstate_devices(const RetireOptions& options, const CommonOptions& common);

}  // namespace cmpost
