// What has been copied from a medium that may be gone at any moment.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "crypto/keys/algorithm.h"

namespace cmpost {

// One file of a medium: the same in name, size, time and octets is the same.
struct CopiedFile {
  std::string name;
  std::uint64_t size = 0;
  std::int64_t mtime_nanos = 0;
  Sha256 sha256{};
  std::string key() const;  // 32 hexadecimal digits
  friend bool operator==(const CopiedFile&, const CopiedFile&) = default;
};

// The local side of one medium, below its own directory:
//   .copy/KEY   octets of a file of the medium, perhaps not all of them
//   copied      the files whose copies are whole and durable, and that the medium still shows
//   in/NAME     copies to work on
// commit() is the moment from which a file counts as taken: before it nothing of the copy is used,
// after it the file is never copied again, until the medium has let go of it.
class CopyLedger {
 public:
  // Makes the directories where they are missing and finishes what a crash has interrupted: copies
  // in the ledger go to in/, others are removed.
  static Result<CopyLedger> open(const std::string& directory);

  std::string in() const { return directory_ + "/in"; }
  bool has(const CopiedFile& file) const;
  const std::vector<CopiedFile>& files() const { return files_; }

  // Writes the octets durably to .copy; what was there under the key is replaced.
  Result<void> write_copy(const CopiedFile& file, ByteView contents) const;
  // Takes the files, whose copies must have been written, into the ledger and then into in/.
  Result<void> commit(const std::vector<CopiedFile>& files);
  // The medium does not show these any more. Durable.
  Result<void> forget(const std::vector<CopiedFile>& files);

 private:
  explicit CopyLedger(std::string directory) : directory_(std::move(directory)) {}
  Result<void> read();
  Result<void> save(const std::vector<CopiedFile>& files) const;
  Result<void> publish(const std::vector<CopiedFile>& files) const;
  void remove_unfinished() const;

  std::string directory_;
  std::vector<CopiedFile> files_;
  std::set<std::string> keys_;  // of files_
};

}  // namespace cmpost
