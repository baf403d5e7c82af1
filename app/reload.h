// Settings that are read again while the service works.
#pragma once

#include <string>
#include <vector>

#include "app/instance.h"

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

// An audit record that says which settings are in use from now on.
Result<void> note_settings(Instance& instance, const std::string& digest);

}  // namespace cmpost
