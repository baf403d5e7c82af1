// A ZIP file, read member by member. Whoever has made it is a stranger.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/files.h"
#include "base/result.h"

namespace cmpost {

struct ZipLimits {
  std::size_t members = 100'000;
  std::size_t member = std::size_t{2} << 20U;  // octets of one, unpacked
  std::size_t total = std::size_t{1} << 30U;   // octets of all, unpacked
  std::size_t ratio = 200;                     // unpacked octets for one of the file, at most
};

// Checked before anything of it is taken into memory: that it ends like a ZIP, how many members it
// says that it has, and how large its directory is.
class ZipFile {
 public:
  // `contents`: an Error (hold) is the fault of this member alone: it is encrypted, a link or
  // another special file, too large, damaged, or has a name that leads somewhere else.
  using Visit = std::function<Result<void>(const std::string& name, Result<Bytes> contents)>;

  // A regular file; `name` is for messages.
  static Result<ZipFile> open(FileDescriptor file, std::string name, const ZipLimits& limits);

  // The files in it, in the order in which they lie there; directories and hidden files are passed
  // over, and "./" before a name says nothing. An Error: that of `visit`, a limit, or a file that
  // is damaged as a whole. May be called again.
  Result<void> for_each(const Visit& visit) const;

 private:
  ZipFile(FileDescriptor file, std::string name, const ZipLimits& limits, std::size_t size,
          std::size_t members)
      : file_(std::move(file)),
        name_(std::move(name)),
        limits_(limits),
        size_(size),
        members_(members) {}

  FileDescriptor file_;
  std::string name_;
  ZipLimits limits_;
  std::size_t size_;
  std::size_t members_;  // that its end says
};

// Why nobody should use a member's name as that of a file; empty: nothing is wrong with it.
std::string fault_of_member_name(std::string_view name);

}  // namespace cmpost
