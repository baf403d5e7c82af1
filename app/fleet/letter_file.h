// The file of the letters before they count.
#pragma once

#include <string>

#include "base/files.h"

namespace cmpost {

// Durable, readable for its owner alone, and without a name: whatever kills the process leaves
// nothing of it. Where the file system has no such files it has a hidden name meanwhile.
class LetterFile {
 public:
  static Result<LetterFile> write(const std::string& path, ByteView contents);
  LetterFile() = default;
  LetterFile(LetterFile&& other) noexcept = default;
  LetterFile& operator=(LetterFile&& other) noexcept = default;

  // Gives it its name, which nothing has; a second time does nothing.
  Result<void> put_in_place();
  // Of one that does not count.
  void drop();

 private:
  LetterFile(std::string path, FileDescriptor file, std::string draft)
      : path_(std::move(path)), file_(std::move(file)), draft_(std::move(draft)) {}

  std::string path_;
  FileDescriptor file_;  // without a name
  std::string draft_;    // else
};

}  // namespace cmpost
