// What a directory lies on, as far as it matters to who watches it.
#pragma once

#include <string>

#include "base/files.h"

namespace cmpost {

struct FileSystemKind {
  std::string name;  // "ext4", "nfs", "fuse"; "0x1234" when it is not known here
  // Everything that changes here is told by inotify(7), and attributes are never stale: a file
  // system of this machine alone. Others (network, FUSE, what is taken out and put in elsewhere)
  // are looked at now and then.
  bool tells_events = false;
  // Other machines may have it, or something between us and it that answers for them (FUSE): locks
  // and shared memory do not reach them.
  bool network = false;
  std::string mistake{};  // not empty: it could not be examined, and why
  // For people: the name, and the mistake.
  std::string text() const { return mistake.empty() ? name : name + " (" + mistake + ")"; }
};

// By statfs(2). What cannot be examined is "unknown", is polled, and says so: whether `network`
// holds is then not known.
FileSystemKind file_system_kind(const FileDescriptor& directory);
FileSystemKind file_system_kind(const std::string& path);
FileSystemKind file_system_kind(long type);

}  // namespace cmpost
