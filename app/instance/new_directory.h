// Files that appear all together or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cmpost {

// They are written into a hidden directory beside the wanted one, which gets its name at the end.
// What this object has made and not published goes with it, unless it is kept; what was there
// before only by clear().
class NewDirectory {
 public:
  // `path`: absolute, where nothing is.
  explicit NewDirectory(std::string path);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  // Removes what an earlier process has left. See check_nothing_on_books().
  Result<void> clear();
  // Empty and for its owner only; an Error when it is there.
  Result<void> begin();
  // `mode` as in open(2).
  Result<void> write(const std::string& name, std::string_view contents, mode_t mode);
  // From now on it outlives this process: what it belongs to is on record, or may be.
  void keep() { kept_ = true; }
  // It is not on record after all.
  void do_not_keep() { kept_ = false; }
  Result<void> publish();

  const std::string& path() const { return path_; }
  // Where it is until it is published.
  const std::string& hidden() const { return hidden_; }

 private:
  const std::string path_, hidden_;
  bool begun_ = false, kept_ = false;
};

// ".NAME.part" beside NAME.
std::string hidden_name(const std::string& directory);

}  // namespace cmpost
