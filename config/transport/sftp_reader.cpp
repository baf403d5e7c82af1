#include <algorithm>

#include "base/bytes.h"
#include "base/files.h"
#include "config/transport/host_and_port.h"
#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kSftpExample = "such as sftp://cmpost@drop.example/upload";

std::string split_sftp_url(std::string_view text, SftpUrl& url) {
  constexpr std::string_view kScheme = "sftp://";
  if (!text.starts_with(kScheme)) return "it does not start with sftp://";
  text.remove_prefix(kScheme.size());
  const auto slash = std::min(text.find('/'), text.size());
  auto authority = text.substr(0, slash);
  url.path = text.substr(slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (url.user.find(':') != std::string::npos) {
    url.user.clear();
    return "a password does not belong into the settings";
  }
  while (url.path.size() > 1 && url.path.back() == '/') url.path.pop_back();
  if (url.path.empty() || url.path == "/") return "it names no directory of the server";
  if (url.path == "/~") {
    url.path = ".";
  } else if (url.path.starts_with("/~/")) {
    url.path.erase(0, 3);
  }
  if (printable(url.path, url.path.size()) != url.path) return "its path is not printable";
  auto [read, mistake] = read_host_and_port(authority);
  url.host = std::move(read.host);
  url.port = read.port.value_or(url.port);
  return mistake;
}

SftpUrl read_sftp_url(Section& table, std::string_view key) {
  SftpUrl url;
  table.require(key, kSftpExample);
  const auto text = table.text(key);
  if (text.empty()) return url;
  if (const auto mistake = split_sftp_url(text, url); !mistake.empty()) {
    table.complain(key, "'" + std::string(key) + "': " + mistake, kSftpExample);
  }
  return url;
}

SftpLogin read_sftp_login(Section table, SftpSettings& sftp) {
  SftpLogin login;
  const auto user = table.text("user");
  for (auto* url : {&sftp.fetch, &sftp.send}) {
    if (url->user.empty()) url->user = user;
    if (url->user.empty()) {
      table.complain("user", "the login has no user", kSftpExample);
      break;
    }
  }
  login.key_file = table.path("key_file", NamedFile::Use::secret);
  login.passphrase_file = table.path("passphrase_file", NamedFile::Use::secret);
  login.password_file = table.path("password_file", NamedFile::Use::secret);
  if (!table.has("key_file") && !table.has("password_file")) {
    table.complain("key_file", "the login has neither key nor password",
                   "login = { key_file = \"secrets/id_ed25519\" }");
  }
  if (table.has("passphrase_file") && !table.has("key_file")) {
    table.complain("passphrase_file", "a passphrase needs a key_file",
                   "the password of a login is password_file");
  }
  table.finish();
  return login;
}

// The name of a directory or the end of a name, below or beside the requests.
std::string read_folder(Section& table, std::string_view key, const std::string& fallback) {
  auto name = table.text(key, fallback);
  if (name.find('/') != std::string::npos || name == "." || name == ".." || name.size() > 100 ||
      printable(name) != name) {
    table.complain(key, "'" + std::string(key) + "' must be a plain name without '/'",
                   "such as \"" + fallback + "\"");
  }
  return name;
}

void read_after(Section& table, SftpSettings& sftp) {
  constexpr std::array kAfter = {Word<SftpAfter>{"move", SftpAfter::move},
                                 Word<SftpAfter>{"rename", SftpAfter::rename},
                                 Word<SftpAfter>{"delete", SftpAfter::remove},
                                 Word<SftpAfter>{"leave", SftpAfter::leave_alone}};
  sftp.after = table.choice("after", sftp.after, kAfter);
  sftp.done_folder = read_folder(table, "done_folder", sftp.done_folder);
  sftp.quarantine_folder = read_folder(table, "quarantine_folder", sftp.quarantine_folder);
  if (sftp.done_folder == sftp.quarantine_folder) {
    table.complain("quarantine_folder", "done_folder and quarantine_folder must differ");
  }
  sftp.suffix = read_folder(table, "suffix", sftp.suffix);
  if (sftp.suffix.size() < 2 || sftp.suffix.front() != '.') {
    table.complain("suffix", "'suffix' must start with a dot", "such as \".taken\"");
  }
  sftp.ledger = table.path("ledger", NamedFile::Use::writable_file);
}

}  // namespace

SftpSettings read_sftp_settings(Section& table) {
  constexpr std::array kReady = {Word<SftpReady>{"rename", SftpReady::rename},
                                 Word<SftpReady>{"stable", SftpReady::stable},
                                 Word<SftpReady>{"marker", SftpReady::marker}};
  SftpSettings sftp;
  sftp.fetch = read_sftp_url(table, "fetch");
  sftp.send = read_sftp_url(table, "send");
  if (!sftp.fetch.host.empty() && sftp.fetch == sftp.send) {
    table.complain("send", "'send' is the directory of 'fetch': answers would be taken in");
  }
  sftp.login = read_sftp_login(table.table("login"), sftp);
  table.require("known_hosts", "the file in which `cmpost channel trust` keeps the server's key");
  sftp.known_hosts = table.path("known_hosts", NamedFile::Use::writable_file);
  sftp.sessions = static_cast<std::size_t>(table.integer("sessions", 4, {1, 16}));
  sftp.time_limit = table.duration("time_limit", sftp.time_limit, {1s, 10min});
  sftp.poll = table.duration("poll", sftp.poll, {100ms, 24h});
  sftp.ready = table.choice("ready", sftp.ready, kReady);
  sftp.settle = table.duration("settle", sftp.settle, {100ms, 1h});
  read_after(table, sftp);
  sftp.name_template = read_name_template(table, sftp.name_template);
  return sftp;
}

}  // namespace cmpost
