// Keys of the CA's own with their certificates, on the books before anybody can use them.
#pragma once

#include "app/instance.h"
#include "app/new_directory.h"

namespace cmpost {

// "cmp" -> cmp.key and cmp.pem in a directory that appears when all is done.
class NewCredential {
 public:
  NewCredential(Instance& instance, NewDirectory& directory, std::string name)
      : instance_(instance), directory_(directory), name_(std::move(name)) {}

  // True: an earlier process was interrupted when its certificate was on the books and its files
  // were not published; now they are.
  Result<bool> go_on();
  Result<void> write(const PrivateKey& key, const Certificate& certificate,
                     const std::optional<std::string>& password) const;
  // Enters the certificate in the books, and gives the directory its name.
  struct Entry {
    const char* event;
    const char* requester;
    std::vector<std::pair<std::string, std::string>> more;
  };
  Result<void> finish(const Certificate& certificate, const Entry& entry);

 private:
  Instance& instance_;
  NewDirectory& directory_;
  const std::string name_;
};

// The first line of a file that only its owner may read; nullopt: no path.
Result<std::optional<std::string>> read_key_password(const std::string& path);

}  // namespace cmpost
