// Files of a bundle, one part in memory at a time.
#pragma once

#include <functional>
#include <string>

#include "base/files.h"
#include "carrier/bundle_manifest.h"

namespace cmpost {

// What a file in an open directory has in it. An Error says why it cannot be read; one that is not
// there, that is no regular file or that has more than `limit` octets is Recovery::hold.
struct FileDigest {
  std::uint64_t size = 0;
  Sha256 sha256{};
};
Result<FileDigest> digest_of(const FileDescriptor& directory, const std::string& name,
                             std::uint64_t limit);
// The same, and each part of it goes to `take`.
using TakePart = std::function<Result<void>(ByteView part)>;
Result<FileDigest> read_parts(const FileDescriptor& directory, const std::string& name,
                              std::uint64_t limit, const TakePart& take);

// Files on their way to being durable: written under hidden names, then synced, some at a time, and
// then under their own. Used by one thread.
class FileGroup {
 public:
  // `directory` must outlive the object. What is not finish()ed is removed.
  explicit FileGroup(const FileDescriptor& directory) : directory_(directory) {}
  ~FileGroup();
  FileGroup(const FileGroup&) = delete;
  FileGroup& operator=(const FileGroup&) = delete;

  // `write` gets a function that appends to the file.
  using Write = std::function<Result<void>(const TakePart& append)>;
  Result<void> add(const std::string& name, const Write& write);
  Result<void> add(const std::string& name, ByteView contents);
  // All are under their names, and durable when the directory is synced. A name that somebody else
  // has is an Error (hold), and those before it are there.
  Result<void> finish();

 private:
  Result<void> settle();

  struct Pending {
    std::string name;
    FileDescriptor file;
  };
  const FileDescriptor& directory_;
  std::vector<Pending> pending_;
};

// "x" while it is being written.
std::string name_while_written(const std::string& name);

}  // namespace cmpost
