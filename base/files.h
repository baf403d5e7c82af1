// Files whose loss would be noticed: bounded reads, durable writes, renames that never overwrite.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// Owns an open file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Closes now and reports what close(2) says; the destructor cannot.
  Result<void> close(std::string_view path);

 private:
  int fd_ = -1;
};

// Opens a directory for the *at() calls and for syncing. Follows no symbolic link in the last
// component.
Result<FileDescriptor> open_directory(const std::string& path);

// The whole of a regular file of at most `limit` octets; a larger file, a directory, a FIFO or a
// device is an Error (hold) that says so, found without reading it.
Result<Bytes> read_file(const std::string& path, std::size_t limit);
// As read_file, of `name` in an open directory, never through a symbolic link and never blocking.
Result<Bytes> read_file_at(const FileDescriptor& directory, const std::string& name,
                           std::size_t limit);

// A regular file as found: what tells one arrival from another.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_nanos = 0;
  mode_t mode = 0;
  std::uint64_t links = 0;
};
Result<FileIdentity> identify(const FileDescriptor& file, std::string_view path);

// How `write_file` behaves when `path` exists.
enum class IfExists { fail, replace };
// Writes `contents` to a hidden temporary name in the same directory, syncs it, renames it to
// `path` and syncs the directory: after a crash there is the whole file or none. `mode` as in
// open(2).
Result<void> write_file(const std::string& path, ByteView contents, mode_t mode,
                        IfExists if_exists);

// renameat2(RENAME_NOREPLACE). An existing target is an Error (hold) and nothing has changed. On a
// file system without that call: rename_by_link().
Result<void> rename_no_replace(const FileDescriptor& from_directory, const std::string& from,
                               const FileDescriptor& to_directory, const std::string& to);
// The same by link and unlink. A crash in between leaves both names, and a second call takes the
// first one away. Without hard links, too: an empty file takes the name first, which a crash may
// leave.
Result<void> rename_by_link(const FileDescriptor& from_directory, const std::string& from,
                            const FileDescriptor& to_directory, const std::string& to);

// fsync(2). Needed after a rename, before the rename may be relied on.
Result<void> sync(const FileDescriptor& file, std::string_view path);
Result<void> sync_directory(const std::string& path);

// mkdir -p with `mode` for what is made, each level synced. An existing directory is fine.
Result<void> make_directories(const std::string& path, mode_t mode = 0750);

bool exists(const std::string& path);
// `path` as it is when absolute, else below `base`.
std::string path_below(const std::string& base, const std::string& path);

}  // namespace cmpost
