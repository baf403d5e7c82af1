// See check_files() for what cannot be used; here is what can be used by too many.
#pragma once

#include "config/settings.h"

namespace cmpost {

// Whoever can exchange a trust anchor, the settings or the ledger is as good as the CA itself.
// What others than the account that cmpost runs as, and root, may exchange: the settings, files and
// directories that they name (but for those of requests and answers), the databases, and the
// directories above up to the instance's own. Warnings are about what others may read.
struct PermissionReport {
  Complaints complaints;
  std::vector<std::string> warnings;
};
PermissionReport check_permissions(const Settings& settings);

}  // namespace cmpost
