// Events of one directory, as hints; the scan is the truth.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"

namespace cmpost {

// inotify(7) on a directory. Where that is not to be had (limits, network file systems, whose other
// users make no events here) nothing fails: wait() then just waits.
class DirectoryWatch {
 public:
  DirectoryWatch();

  // Watches what `path` names now instead of what it named before. False when there is no inotify.
  bool watch(const std::string& path);
  // Watches nothing.
  void stop();

  struct Events {
    std::vector<std::string> complete;  // renamed here or closed after writing
    std::vector<std::string> appeared;  // created: a writer has it open, or it is a hard link
    bool overflow = false;              // some were lost: scan
    bool gone = false;                  // the directory itself was moved, removed or unmounted
  };
  // Takes what has come, without blocking.
  Events read();

  // Blocks until something has come, for `time_out`, or until a stop is requested.
  void wait(Duration time_out, const std::stop_token& stop);

 private:
  FileDescriptor inotify_;
  FileDescriptor wake_;  // eventfd: a stop was requested
  int watch_ = -1;
};

}  // namespace cmpost
