// Keys of the CA's own with their certificates, on the books before anybody can use them.
#pragma once

#include "app/instance/instance.h"
#include "app/instance/new_directory.h"

namespace cmpost {

// In the ledger, whose commands they are.
inline constexpr const char* kCredentialRequester = "ca credential";
inline constexpr const char* kRolloverRequester = "ca rollover";

// How a certificate comes into ledger and audit log.
struct OwnEntry {
  const char* event;
  const char* requester;
  std::vector<std::pair<std::string, std::string>> more;  // of the audit record
};

// "cmp" -> cmp.key and cmp.pem in a directory that appears when all is done.
class NewCredential {
 public:
  NewCredential(Instance& instance, NewDirectory& directory, std::string name)
      : instance_(instance), directory_(directory), name_(std::move(name)) {}

  // True: an earlier process was interrupted when its certificate was on the books and its files
  // were not published; now they are. `requester`: whose entry it is. What another command has
  // begun may have files of its own beside these.
  Result<bool> go_on(std::string_view requester);
  // Hold when the directory is there. What an interrupted process has left and nobody knows is
  // removed.
  Result<void> begin();
  Result<void> write(const PrivateKey& key, const Certificate& certificate,
                     const std::optional<std::string>& password) const;
  // Enters the certificate in the books, and gives the directory its name.
  Result<void> finish(const Certificate& certificate, const OwnEntry& entry);

 private:
  Instance& instance_;
  NewDirectory& directory_;
  const std::string name_;
};

// As PrivateKey::generate(), for what signs. Otherwise the command line is wrong.
Result<PrivateKey> make_signing_key(const std::string& algorithm);

// A certificate of the CA's own that nobody has asked for, and its audit record.
Result<void> enter_on_books(Instance& instance, const Certificate& certificate,
                            const OwnEntry& entry);

// What the settings have to say about the password of a key that was made, perhaps by an earlier
// process with other options.
struct KeyPasswordSetting {
  bool needed = false;
  std::string file;  // absolute; empty: only who made the key knows it
  // As a value in the settings; empty where none is needed.
  std::string toml() const;
};
// `named`: the file that is named now; one that does not open the key is not its.
Result<KeyPasswordSetting> password_setting_of(const std::string& key, const std::string& named);

// The first line of a file that only its owner may read; nullopt: no path.
Result<std::optional<std::string>> read_key_password(const std::string& path);

}  // namespace cmpost
