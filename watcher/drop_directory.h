// An input directory with its three neighbours .work, .done and .quarantine.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "carrier/file_system_kind.h"
#include "watcher/settling.h"

namespace cmpost {

// Moves files by rename only, never over another file. Nothing here is synced but by sync() and
// sync_claims(): any other rename that a loss of power undoes brings back an arrival that the queue
// knows.
class DropDirectory {
 public:
  // Opens `path`, which must exist (an unmounted medium must not be taken for an empty one), and
  // makes the neighbours where they are missing.
  static Result<DropDirectory> open(const std::string& path);

  // Do the path and the names of the neighbours still mean the directories that are open?
  bool is_current() const;

  enum class Place { in, work, done, quarantine };
  const FileDescriptor& at(Place place) const;

  // The entry without opening it; nullopt when it is gone. An Error: nobody can say.
  Result<std::optional<Look>> look(Place place, const std::string& name) const;

  // Moves `name` to `to`, under its own name or, when that is taken, under one marked with a number
  // or at last with `mark`, which is unique. Returns the new name. `reserve`: octets that something
  // will be appended to the name.
  Result<std::string> move(Place from, const std::string& name, Place to, const std::string& mark,
                           std::size_t reserve = 0) const;

  // Gives a file in `in` the present time, so that it is another arrival. False where this user may
  // not.
  bool renew(const std::string& name) const;

  // .done and .quarantine, after a group.
  Result<void> sync() const;
  // .work.
  Result<void> sync_claims() const;

  // A time stamp that the file system makes now; 0 where time stamps of files tell nothing: on
  // network file systems, and when .work cannot be stamped.
  std::int64_t file_system_now() const;

  // Removes from `place` what has been there since before `before` (Unix seconds), as far as that
  // can be done now; how many.
  std::size_t purge(Place place, std::int64_t before) const;

  const std::string& path() const { return path_; }
  const FileSystemKind& kind() const { return kind_; }

 private:
  std::string path_;
  FileDescriptor in_, work_, done_, quarantine_;
  FileSystemKind kind_;
};

// Names in an open directory, a part at a time, so that memory does not grow with the directory.
class Listing {
 public:
  static Result<Listing> start(const FileDescriptor& directory);
  Listing(Listing&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Listing& operator=(Listing&&) = delete;
  ~Listing();

  // Up to `max` more names, without "." and ".."; empty at the end. An Error: there may be more.
  Result<std::vector<std::string>> next(std::size_t max);
  // The same, with what the directory alone tells of them.
  struct Entry {
    std::string name;
    bool is_file = false;  // for sure
  };
  Result<std::vector<Entry>> next_entries(std::size_t max);

 private:
  explicit Listing(void* stream) : stream_(stream) {}
  void* stream_;  // DIR
};

}  // namespace cmpost
