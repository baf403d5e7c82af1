// The files of a channel's `crls`, read again when they change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "crypto/x509/revocation_list.h"

namespace cmpost {

// Any thread.
class CrlFiles {
 public:
  // Reads all of them. An Error names the file.
  static Result<std::unique_ptr<CrlFiles>> open(std::vector<std::string> paths);

  using Lists = std::shared_ptr<const std::vector<RevocationList>>;
  // What the files say. Looks at them again at most once a minute of `now`; a file that cannot be
  // read any more is logged, and what it said before goes on to count.
  Lists lists(Time now);

 private:
  struct File {
    std::string path;
    std::string stamp;  // size and time of change
    std::vector<RevocationList> lists;
  };
  explicit CrlFiles(std::vector<File> files);
  void look_again() REQUIRES(mutex_);
  void join() REQUIRES(mutex_);

  Mutex mutex_;
  std::vector<File> files_ GUARDED_BY(mutex_);
  Lists lists_ GUARDED_BY(mutex_);
  Time looked_ GUARDED_BY(mutex_){};
};

}  // namespace cmpost
