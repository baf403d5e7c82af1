// Files at a server, many at a time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sftp/wire/sftp_dialogue.h"

namespace cmpost {

// How one request ended.
struct SftpStatus {
  SftpCode code = SftpCode::ok;
  std::string message;  // the server's words
  bool ok() const { return code == SftpCode::ok; }
};

// "doing PATH at sftp://...: permission denied"; retry, since only somebody at the server knows.
Error remote_error(std::string_view doing, std::string_view path, const std::string& peer,
                   const SftpStatus& status);

// All functions below work on all that is given at once, and answer in the same order. Their Error
// is the connection's; how each single file fared is in the values.

struct Looked {
  SftpStatus status;
  RemoteLook look;
};
Result<std::vector<Looked>> look_at(SftpDialogue& dialogue, const std::vector<std::string>& paths);

struct Wanted {
  std::string path;
  std::size_t size = 0;       // as the server has told; the caller has bounded it
  bool size_is_known = true;  // else it is read to its end, and `size` is the bound
};
struct Fetched {
  SftpStatus status;
  Bytes contents;
  bool changed = false;  // not of that size: shorter or longer; longer than the bound
};
// Never reads more than size + 1 octets of a file.
Result<std::vector<Fetched>> fetch_files(SftpDialogue& dialogue, const std::vector<Wanted>& files);

struct NewFile {
  std::string path;
  ByteView contents;
};
// Creates, writes and, where the server can, syncs. A file of that name is a failure, and so is one
// that is not whole at the end; it may be there then.
Result<std::vector<SftpStatus>> write_files(SftpDialogue& dialogue,
                                            const std::vector<NewFile>& files);

using Renaming = std::pair<std::string, std::string>;
// To names that the caller has found free: servers that keep to version 3 refuse to overwrite,
// others do not.
Result<std::vector<SftpStatus>> rename_files(SftpDialogue& dialogue,
                                             const std::vector<Renaming>& files);
Result<std::vector<SftpStatus>> remove_files(SftpDialogue& dialogue,
                                             const std::vector<std::string>& paths);

// Asked by opening it where the server does not say what it is.
Result<bool> is_directory(SftpDialogue& dialogue, const std::string& path);
// Whether the list of a directory has the name: for servers that say no more than "failure" of a
// file that is not there.
Result<bool> is_listed(SftpDialogue& dialogue, const std::string& directory,
                       const std::string& name);
// Makes the directory if it is not there.
Result<void> ensure_directory(SftpDialogue& dialogue, const std::string& path);

// Why nothing can be written into `directory`, as far as the server tells: "the disk is full";
// empty when it tells nothing.
std::string why_not_writable(SftpDialogue& dialogue, const std::string& directory);

// A directory's entries, a part at a time.
class RemoteListing {
 public:
  // The Error names what is wrong with the directory.
  static Result<RemoteListing> open(SftpDialogue& dialogue, const std::string& path);
  // At least `count` more, unless fewer are left; without "." and "..". Empty at the end.
  Result<std::vector<RemoteEntry>> next(std::size_t count);

 private:
  RemoteListing(SftpDialogue& dialogue, std::string path, Bytes handle)
      : dialogue_(&dialogue), path_(std::move(path)), handle_(std::move(handle)) {}
  Result<void> read_more(std::vector<RemoteEntry>& entries);

  SftpDialogue* dialogue_;
  std::string path_;
  Bytes handle_;
  bool ended_ = false;
};

}  // namespace cmpost
