// The keys of a [[channel]] with kind = "sftp".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace cmpost {

// sftp://USER@HOST[:PORT]/PATH
struct SftpUrl {
  std::string user;
  std::string host;  // a name, or an address without brackets
  int port = 22;
  // As the server gets it: "/upload", or "upload" below the user's home for sftp://HOST/~/upload.
  std::string path;
  friend bool operator==(const SftpUrl&, const SftpUrl&) = default;
};

// At least one of key_file and password_file; with both the password is what a server gets that
// wants more than the key. All absolute, read anew for each login.
struct SftpLogin {
  std::string key_file;  // a private key as ssh-keygen writes it
  std::string passphrase_file;
  std::string password_file;  // its first line
};

// When a file at the server is complete.
enum class SftpReady {
  rename,  // as soon as it has its name: senders write under a hidden or temporary one
  stable,  // when size and time have been the same for `settle`
  marker   // when there is NAME.done or NAME.ok beside it
};

// What becomes of a file whose request is in the queue.
enum class SftpAfter {
  move,         // into done_folder
  rename,       // NAME gets `suffix`
  remove,       // "delete"
  leave_alone,  // "leave": stays as it is, `ledger` remembers it; for servers that may only be read
};

struct SftpSettings {
  static constexpr std::string_view kKind = "sftp";
  bool is_private(std::string_view) const { return true; }

  SftpUrl fetch, send;
  SftpLogin login;
  std::string known_hosts;   // absolute, in OpenSSH's format
  std::size_t sessions = 4;  // connections at a time, in each direction
  // Longest silence of the server within one connection or operation.
  Duration time_limit = std::chrono::seconds(30);
  Duration poll = std::chrono::seconds(10);  // between looks
  SftpReady ready = SftpReady::stable;
  // Times of files are whole seconds in SFTP, so less than two seconds tells little.
  Duration settle = std::chrono::seconds(2);
  SftpAfter after = SftpAfter::move;
  std::string done_folder = "done", quarantine_folder = "quarantine";  // below fetch.path
  std::string suffix = ".taken";
  std::string ledger;  // absolute; what was taken with SftpAfter::leave
  std::string name_template = "{stem}.{body}.pki";
};

}  // namespace cmpost
