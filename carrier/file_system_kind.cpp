#include "carrier/file_system_kind.h"

#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace cmpost {
namespace {

struct KnownKind {
  long type;  // statfs(2): f_type
  const char* name;
  bool tells_events;
  bool network = false;
};

// Numbers from the kernel's sources; not all are in linux/magic.h.
constexpr auto kKnownKinds = std::to_array<KnownKind>({
    {0xef53, "ext4", true},
    {0x58465342, "xfs", true},
    {0x9123683e, "btrfs", true},
    {0x794c7630, "overlayfs", true},
    {0x01021994, "tmpfs", true},
    {0x858458f6, "ramfs", true},
    {0xf2f52010, "f2fs", true},
    {0x2fc12fc1, "zfs", true},
    {0x3153464a, "jfs", true},
    {0xca451a4e, "bcachefs", true},
    {0x52654973, "reiserfs", true},
    {0x6969, "nfs", false, true},
    {0xff534d42, "cifs", false, true},
    {0xfe534d42, "smb2", false, true},
    {0x517b, "smb", false, true},
    {0x01021997, "9p", false, true},
    {0x00c36400, "ceph", false, true},
    {0x5346414f, "afs", false, true},
    {0x6b414653, "kafs", false, true},
    {0x65735546, "fuse", false, true},
    {0x01161970, "gfs2", false, true},
    {0x7461636f, "ocfs2", false, true},
    {0x0bd00bd0, "lustre", false, true},
    {0x4d44, "vfat", false},
    {0x2011bab0, "exfat", false},
    {0x5346544e, "ntfs", false},
    {0x7366746e, "ntfs3", false},
    {0x9660, "iso9660", false},
    {0x15013346, "udf", false},
    {0x482b, "hfsplus", false},
    {0x786f4256, "vboxsf", false, true},
    {0xbacbacbc, "vmhgfs", false, true},
});

FileSystemKind unknown_kind(std::string_view path) {
  return {"unknown", false, false, errno_error("asking for the file system of", path, errno).what};
}

}  // namespace

FileSystemKind file_system_kind(long type) {
  // Some architectures sign-extend the number.
  const auto plain = static_cast<long>(static_cast<unsigned long>(type) & 0xffffffffUL);
  for (const auto& known : kKnownKinds) {
    if (known.type == plain) return {known.name, known.tells_events, known.network, {}};
  }
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%lx", static_cast<unsigned long>(plain));
  return {text.data(), false, false, {}};
}

FileSystemKind file_system_kind(const std::string& path) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return unknown_kind(path);
  return file_system_kind(static_cast<long>(status.f_type));
}

FileSystemKind file_system_kind(const FileDescriptor& directory) {
  struct statfs status {};
  if (::fstatfs(directory.get(), &status) != 0) return unknown_kind("the directory");
  return file_system_kind(static_cast<long>(status.f_type));
}

}  // namespace cmpost
