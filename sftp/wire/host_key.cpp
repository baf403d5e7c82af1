#include "sftp/wire/host_key.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/files.h"
#include "base/presence.h"
#include "sftp/wire/ssh_connection.h"
#include "sftp/wire/ssh_handles.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxKnownHosts = std::size_t{4} << 20U;
constexpr std::size_t kMaxLine = std::size_t{16} << 10U;

struct Entry {
  std::string names;        // the first field
  std::string fingerprint;  // with its type
};

// What the line says about `server`; nullopt: nothing.
std::optional<Entry> entry_for(const std::string& server, std::string_view line) {
  if (line.size() > kMaxLine || line.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string text(line);
  ssh_knownhosts_entry* raw = nullptr;
  if (ssh_known_hosts_parse_line(server.c_str(), text.c_str(), &raw) != SSH_OK || raw == nullptr) {
    return std::nullopt;
  }
  const std::unique_ptr<ssh_knownhosts_entry, FreeWith<ssh_knownhosts_entry_free>> entry(raw);
  return Entry{text.substr(0, text.find_first_of(" \t")), key_fingerprint(entry->publickey)};
}

bool is_for_one(const std::string& names, const std::string& server) {
  return names == server || names.starts_with("|1|");
}

template <typename Use>
void for_each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::string known_hosts_name(const SftpUrl& url) {
  const auto host = lower_ascii(url.host);
  return url.port == 22 ? host : "[" + host + "]:" + std::to_string(url.port);
}

std::vector<std::string> known_fingerprints(std::string_view known_hosts,
                                            const std::string& server) {
  std::vector<std::string> found;
  for_each_line(known_hosts, [&](std::string_view line) {
    if (auto entry = entry_for(server, line)) found.push_back(std::move(entry->fingerprint));
  });
  return found;
}

Result<std::string> with_host_key(std::string_view known_hosts, const HostKey& key) {
  std::string text, shared;
  for_each_line(known_hosts, [&](std::string_view line) {
    const auto entry = entry_for(key.server, line);
    if (entry && !is_for_one(entry->names, key.server)) shared = entry->names;
    if (!entry) text += std::string(line) + "\n";
  });
  if (!shared.empty()) {
    return hold("a line of the known hosts file speaks for " + key.server +
                    " and others: " + printable(shared, 100),
                "change that line by hand");
  }
  return text + key.line + "\n";
}

Error host_key_error(const HostKey& key, const std::string& known_hosts_file) {
  const auto shown = key.type + " " + key.fingerprint;
  if (key.state == HostKey::State::unknown) {
    return {
        Recovery::hold,
        "the host key of " + key.server + " is not in " + known_hosts_file + "; it shows " + shown,
        "compare that with what the server's administrator says, then `cmpost channel trust`"};
  }
  return {Recovery::hold,
          "THE HOST KEY OF " + key.server + " HAS CHANGED: it shows " + shown + ", " +
              known_hosts_file + " has " + join(key.expected),
          "this may be an attack. Ask the server's administrator; only if the new key is right: "
          "`cmpost channel trust`"};
}

Result<HostKey> fetch_host_key(const SftpUrl& url, const SftpSettings& settings) {
  SocketWatchdog watchdog;
  return SshConnection::host_key(url, settings, watchdog);
}

Result<void> trust_host_key(const HostKey& key, const SftpSettings& settings) {
  const auto& path = settings.known_hosts;
  ASSIGN_OR_RETURN(const auto before, read_if_there(path, kMaxKnownHosts));
  ASSIGN_OR_RETURN(const auto after, with_host_key(text_of(before.value_or(Bytes())), key));
  return write_file(path, view_of(after), 0644, IfExists::replace);
}

}  // namespace cmpost
