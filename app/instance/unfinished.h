// A directory that a command fills, and that is empty again when the command fails.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace cmpost {

// A file with a name of its own, the mark, is the first that is there and gets its last name when
// all is done: as long as it lies there nobody has used what is beside it. It is locked while a
// process fills the directory, so that what one has left that was killed can be told and removed.
class UnfinishedDirectory {
 public:
  static constexpr const char* kMark = ".cmpost-init";

  // `made`: what the command makes in it, by name; of a database also the files beside it.
  UnfinishedDirectory(std::string path, std::vector<std::string> made);
  // Removes what was made, unless it was finished.
  ~UnfinishedDirectory();
  UnfinishedDirectory(const UnfinishedDirectory&) = delete;
  UnfinishedDirectory& operator=(const UnfinishedDirectory&) = delete;

  // Makes the directory where there is none, and the mark with these contents. An Error when it
  // has something in it that no interrupted command has left, or another one is at work.
  Result<void> begin(std::string_view mark);
  std::string mark() const { return path_below(path_, kMark); }
  // The mark becomes `name`.
  Result<void> finish(const std::string& name);

 private:
  Result<void> clear_leftovers();
  bool lock_mark();
  bool is_ours(const std::string& name) const;
  void remove_all() const;

  const std::string path_;
  const std::vector<std::string> made_;
  std::vector<std::string> parents_;  // that were not there, the outermost first; none when done
  FileDescriptor lock_;
  bool begun_ = false;
};

}  // namespace cmpost
