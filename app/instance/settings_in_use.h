// Which settings a service works with, and whether the file says something else by now.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "config/settings.h"

namespace cmpost {

// SHA-256 of the file in hex; empty when it cannot be read. Take it before the file is read for
// use: a change between the two then shows as one.
std::string digest_of_settings(const std::string& file);

// On record as long as the object lives: the file goes at a clean stop, and the lock on it with the
// process however that ends. What
// cannot be written is left: the work is worth more than its record.
class SettingsInUse {
 public:
  // `state`: of the instance. `service`: which, where several work on one instance.
  SettingsInUse(const std::string& state, const std::string& service, const Clock& clock);
  ~SettingsInUse();
  SettingsInUse(const SettingsInUse&) = delete;
  SettingsInUse& operator=(const SettingsInUse&) = delete;

  void use(const std::string& digest);
  // A reload found these wrong.
  void refuse(const std::string& digest, const std::string& complaint);

 private:
  void write();

  const Clock& clock_;
  std::string path_;
  FileDescriptor file_;
  std::string used_, refused_, complaint_;
  Time used_since_{}, refused_since_{};
};

// For `status` and `check`: a sentence for each running service that works with other settings than
// those on disk, or with settings that are not known. Writes nothing.
std::vector<std::string> settings_not_in_use(const Settings& settings);

}  // namespace cmpost
