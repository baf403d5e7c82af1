// `cmpost channel trust`.
#pragma once

#include <string>
#include <vector>

#include "app/terminal/command_line.h"

namespace cmpost {

// Shows the host keys of an SFTP channel's servers and stores each that is confirmed: on the
// terminal, or by its fingerprint in `confirmed`.
Result<ExitCode> trust_host_keys(const std::string& channel,
                                 const std::vector<std::string>& confirmed,
                                 const CommonOptions& common);

}  // namespace cmpost
