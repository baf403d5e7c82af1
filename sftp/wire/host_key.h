// Who the server is: the keys in known_hosts.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/transport/sftp_settings.h"

namespace cmpost {

// The key that a server shows.
struct HostKey {
  enum class State {
    known,    // it is in known_hosts
    unknown,  // nothing is known of the server
    changed   // known_hosts has another key
  };
  State state = State::unknown;
  std::string server;       // "drop.example" or "[drop.example]:2222", as known_hosts names it
  std::string type;         // "ssh-ed25519"
  std::string fingerprint;  // "SHA256:..."
  std::vector<std::string> expected;  // fingerprints in known_hosts
  std::string line;                   // for known_hosts
};

// How known_hosts names the server.
std::string known_hosts_name(const SftpUrl& url);

// Fingerprints ("ssh-ed25519 SHA256:...") that `known_hosts` has for the server; lines of other
// servers and lines that are no such entries count for nothing.
std::vector<std::string> known_fingerprints(std::string_view known_hosts,
                                            const std::string& server);

// `known_hosts` with the key: lines that have the server's name alone, in clear or hashed, go. An
// Error (hold): another line speaks for the server, with a pattern or for several, and only a
// person can say what shall become of the others.
Result<std::string> with_host_key(std::string_view known_hosts, const HostKey& key);

// What an operator is told about a key that is not known.
Error host_key_error(const HostKey& key, const std::string& known_hosts_file);

// Connects as far as the key and no further: no login.
Result<HostKey> fetch_host_key(const SftpUrl& url, const SftpSettings& settings);
// Writes the key into settings.known_hosts, in place of others of that server. Durable.
Result<void> trust_host_key(const HostKey& key, const SftpSettings& settings);

}  // namespace cmpost
