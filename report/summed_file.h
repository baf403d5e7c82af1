// A file that is written once, from its beginning to its end, and whose SHA-256 is known then.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "crypto/keys/running_hash.h"

namespace cmpost {

// Used by one thread.
class SummedFile {
 public:
  // Makes `name` in an open directory, which has to outlive this; what has the name already is an
  // Error.
  static Result<SummedFile> create(const FileDescriptor& directory, std::string name);

  // Kept in memory up to 64 KiB before it is written.
  Result<void> add(std::string_view text);
  // Writes the rest and syncs: the file is durable, its name is not. The SHA-256 in hexadecimal.
  // Nothing may be added any more.
  Result<std::string> finish();

 private:
  SummedFile(FileDescriptor file, std::string name);
  Result<void> write_out();

  FileDescriptor file_;
  std::string name_, waiting_;
  RunningSha256 sum_;
};

// Of a regular file, read part by part; what is none is an Error.
Result<std::string> sum_of_file(const FileDescriptor& directory, const std::string& name);

}  // namespace cmpost
