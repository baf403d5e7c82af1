// Who holds leases, so that those of a dead process are free at once: a file beside the database
// that a process keeps locked as long as it lives. The kernel lets go of the lock however the
// process ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace cmpost {

// This process, or rather this Spool. A child that is forked and does not exec keeps it alive.
class LeaseOwner {
 public:
  // Makes and locks "<database>.owner-<token>", with the mode and group of the database.
  static Result<LeaseOwner> create(const std::string& database);
  LeaseOwner(LeaseOwner&&) = default;
  LeaseOwner& operator=(LeaseOwner&&) = delete;
  ~LeaseOwner();

  const std::string& token() const { return token_; }

 private:
  LeaseOwner(std::string path, std::string token, FileDescriptor file)
      : path_(std::move(path)), token_(std::move(token)), file_(std::move(file)) {}

  std::string path_;
  std::string token_;
  FileDescriptor file_;
};

// Whether somebody holds the lock. A file that cannot be examined counts as alive: then the lease
// has to run out.
bool is_alive(const std::string& database, const std::string& token);

// Removes the file of an owner, if that is dead.
void remove_dead_owner(const std::string& database, const std::string& token);

// The tokens of all files there are.
std::vector<std::string> owner_files(const std::string& database);

}  // namespace cmpost
