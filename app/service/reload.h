// Settings that are read again while the service works.
#pragma once

#include <string>
#include <vector>

#include "app/instance/instance.h"

namespace cmpost {

// Either an instance that can take over, or why the present one goes on.
struct Reloaded {
  std::unique_ptr<Instance> instance;
  std::string digest;  // of the file
  std::vector<std::string> complaints;
};

// Reads the file of `present` again and judges it as `check` does. The new instance has opened no
// database and not configured the log.
Reloaded reload_settings(const Instance& present);

// Audit records before work begins: "settings.loaded" says which settings are in use from now on,
// and "settings.changed" that they are not those that were worked with last. With the account of
// the process, and `asked_by`, the account that has asked for a reload, where it is known.
Result<void> note_settings(Instance& instance, const std::string& digest,
                           const std::string& asked_by);

}  // namespace cmpost
