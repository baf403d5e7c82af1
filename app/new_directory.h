// Files that appear all together or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// They are written into a hidden directory beside the wanted one, which gets its name at the end.
// What is not published goes with the object, unless it is kept.
class NewDirectory {
 public:
  // `path`: absolute; there must be nothing of that name.
  explicit NewDirectory(std::string path);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  // Empty and for its owner only; what an earlier process left there is removed.
  Result<void> begin();
  // `mode` as in open(2).
  Result<void> write(const std::string& name, std::string_view contents, mode_t mode);
  // From now on it outlives this process: what it belongs to is on record. See left_behind().
  void keep() { kept_ = true; }
  Result<void> publish();

  // Where a file of an earlier process is that was kept and not published; empty: there is none.
  std::string left_behind(const std::string& name) const;
  const std::string& path() const { return path_; }

 private:
  const std::string path_, hidden_;
  bool begun_ = false, kept_ = false;
};

}  // namespace cmpost
