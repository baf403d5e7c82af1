#include "sftp/wire/ssh_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/presence.h"
#include "sftp/wire/ssh_handles.h"
#include "sftp/wire/ssh_login.h"
#include "sftp/wire/tcp_connect.h"

namespace cmpost {
namespace {

constexpr int kNoTimeOut = -1;  // the watchdog looks after that
constexpr std::size_t kMaxKnownHostsFile = std::size_t{4} << 20U;

// Arms a watch for as long as it lives.
class Armed {
 public:
  explicit Armed(SocketWatchdog::Watch& watch) : watch_(watch) { watch_.arm(); }
  ~Armed() { watch_.disarm(); }
  Armed(const Armed&) = delete;

 private:
  SocketWatchdog::Watch& watch_;
};

template <typename T>
bool set(ssh_session session, ssh_options_e option, const T& value) {
  return ssh_options_set(session, option, value) == SSH_OK;
}

// Nothing comes from the user's or the system's ssh configuration, and no agent is asked.
bool set_options(ssh_session session, const SftpUrl& url, const SftpSettings& settings, int fd) {
  const bool no = false;
  const int yes = 1;
  const long seconds = std::max<long>(
      1, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(settings.time_limit).count()));
  const auto port = static_cast<unsigned>(url.port);
  return set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) &&
         set(session, SSH_OPTIONS_HOST, url.host.c_str()) &&
         set(session, SSH_OPTIONS_PORT, &port) &&
         set(session, SSH_OPTIONS_USER, url.user.c_str()) &&
         set(session, SSH_OPTIONS_SSH_DIR, "/nonexistent") &&
         set(session, SSH_OPTIONS_KNOWNHOSTS, settings.known_hosts.c_str()) &&
         set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") &&
         set(session, SSH_OPTIONS_TIMEOUT, &seconds) && set(session, SSH_OPTIONS_NODELAY, &yes) &&
         set(session, SSH_OPTIONS_FD, &fd);
}

}  // namespace

struct SshConnection::Handles {
  SshSessionPtr session;
  SshChannelPtr channel;  // last: freed before its session
};

std::string sftp_peer(const SftpUrl& url) {
  const auto host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  return "sftp://" + url.user + "@" + host + (url.port == 22 ? "" : ":" + std::to_string(url.port));
}

std::string key_fingerprint(ssh_key_struct* key) {
  if (key == nullptr) return {};
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0) return {};
  const SshTextPtr text(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size));
  ssh_clean_pubkey_hash(&hash);
  const auto type = ssh_key_type(key);
  const char* name = type == SSH_KEYTYPE_RSA ? "ssh-rsa" : ssh_key_type_to_char(type);
  return text ? std::string(name) + " " + text.get() : std::string();
}

SshConnection::SshConnection(const SftpUrl& url, const SftpSettings& settings,
                             SocketWatchdog& watchdog)
    : url_(url),
      settings_(settings),
      watchdog_(watchdog),
      peer_(sftp_peer(url)),
      handles_(std::make_unique<Handles>()) {}

SshConnection::~SshConnection() {
  // A farewell to a server that does not listen must not last, either.
  if (!watch_) return;
  const Armed armed(*watch_);
  handles_->channel.reset();
  if (handles_->session) ssh_disconnect(handles_->session.get());
  handles_->session.reset();
}

tl::expected<std::unique_ptr<SftpStream>, DialFailure> SshConnection::open(
    const SftpUrl& url, const SftpSettings& settings, SocketWatchdog& watchdog) {
  const auto failed = [](Error error, bool refused) {
    return failure(DialFailure{std::move(error), refused});
  };
  std::unique_ptr<SshConnection> connection(new SshConnection(url, settings, watchdog));
  if (auto begun = connection->begin(); !begun) return failed(begun.error(), false);
  if (auto checked = connection->check_host_key(); !checked) return failed(checked.error(), false);
  if (auto done = connection->log_in(); !done) {
    const bool refused = done.error().recovery == Recovery::hold;
    return failed(done.error(), refused);
  }
  if (auto started = connection->start_sftp(); !started) return failed(started.error(), false);
  return connection;
}

Result<HostKey> SshConnection::host_key(const SftpUrl& url, const SftpSettings& settings,
                                        SocketWatchdog& watchdog) {
  SshConnection connection(url, settings, watchdog);
  TRY(connection.begin());
  return connection.shown_key();
}

Error SshConnection::broken(std::string_view doing) {
  if (watch_->fired()) {
    return {Recovery::retry, peer_ + " was silent for too long (" + std::string(doing) + ")",
            "time_limit of the channel is the limit"};
  }
  return {
      Recovery::retry,
      std::string(doing) + " " + peer_ + ": " + printable(ssh_get_error(handles_->session.get())),
      {}};
}

Result<void> SshConnection::begin() {
  ASSIGN_OR_RETURN(auto socket, tcp_connect(url_.host, url_.port, settings_.time_limit,
                                            [this] { return watchdog_.out_of_time(); }));
  ASSIGN_OR_RETURN(watch_, watchdog_.watch(socket.get(), settings_.time_limit));
  handles_->session.reset(ssh_new());
  auto* const session = handles_->session.get();
  if (session == nullptr) return retry("no memory for an SSH session");
  const int libssh_closes_it = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
  if (!set_options(session, url_, settings_, libssh_closes_it)) {
    ::close(libssh_closes_it);
    return hold("setting up the connection to " + peer_ + ": " + printable(ssh_get_error(session)));
  }
  const Armed armed(*watch_);
  if (ssh_connect(session) != SSH_OK) return failure(broken("connecting to"));
  return {};
}

Result<HostKey> SshConnection::shown_key() {
  auto* const session = handles_->session.get();
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session, &raw) != SSH_OK) return failure(broken("the key of"));
  const SshKeyPtr server_key(raw);
  char* line = nullptr;
  if (ssh_session_export_known_hosts_entry(session, &line) != SSH_OK) {
    return failure(broken("the key of"));
  }
  const SshTextPtr owned(line);
  HostKey key;
  key.server = known_hosts_name(url_);
  key.line = line;
  key.line.erase(key.line.find_last_not_of("\r\n") + 1);
  const auto fingerprint = key_fingerprint(server_key.get());
  key.type = fingerprint.substr(0, fingerprint.find(' '));
  key.fingerprint = fingerprint.substr(std::min(key.type.size() + 1, fingerprint.size()));
  ASSIGN_OR_RETURN(const auto known, read_if_there(settings_.known_hosts, kMaxKnownHostsFile));
  if (known) key.expected = known_fingerprints(text_of(*known), key.server);
  if (!key.expected.empty()) key.state = HostKey::State::changed;
  if (ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK) key.state = HostKey::State::known;
  return key;
}

Result<void> SshConnection::check_host_key() {
  ASSIGN_OR_RETURN(const auto key, shown_key());
  if (key.state == HostKey::State::known) return {};
  return failure(host_key_error(key, settings_.known_hosts));
}

Result<void> SshConnection::log_in() {
  const Armed armed(*watch_);
  auto done = ssh_log_in(handles_->session.get(), settings_.login, peer_);
  if (!done && watch_->fired()) return failure(broken("logging in at"));
  return done;
}

Result<void> SshConnection::start_sftp() {
  const Armed armed(*watch_);
  handles_->channel.reset(ssh_channel_new(handles_->session.get()));
  auto* const channel = handles_->channel.get();
  if (channel == nullptr || ssh_channel_open_session(channel) != SSH_OK) {
    return failure(broken("opening a session at"));
  }
  if (ssh_channel_request_sftp(channel) != SSH_OK) {
    auto error = broken("starting SFTP at");
    error.hint = "does the server offer SFTP to this user?";
    return failure(std::move(error));
  }
  return {};
}

Result<void> SshConnection::write(ByteView octets) {
  const Armed armed(*watch_);
  while (!octets.empty()) {
    const auto count = ssh_channel_write(handles_->channel.get(), octets.data(),
                                         static_cast<std::uint32_t>(octets.size()));
    if (count <= 0) return failure(broken("writing to"));
    octets = octets.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<Bytes> SshConnection::read() {
  constexpr std::size_t kAtOnce = std::size_t{64} << 10U;
  const Armed armed(*watch_);
  Bytes octets(kAtOnce);
  auto* const channel = handles_->channel.get();
  const int count = ssh_channel_read_timeout(channel, octets.data(), kAtOnce, 0, kNoTimeOut);
  if (count > 0) {
    octets.resize(static_cast<std::size_t>(count));
    return octets;
  }
  if (count == 0 && !watch_->fired()) {
    return retry(peer_ + " ended the SFTP session",
                 "does the server offer SFTP to this user? Its log may say more");
  }
  return failure(broken("reading from"));
}

bool SshConnection::keep_alive() {
  const Armed armed(*watch_);
  auto* const session = handles_->session.get();
  if (ssh_is_connected(session) == 0 || ssh_send_ignore(session, "") != SSH_OK) return false;
  // Also answers what the server asks to see whether we are there.
  return ssh_channel_poll(handles_->channel.get(), 0) == 0 &&
         ssh_channel_is_eof(handles_->channel.get()) == 0 && ssh_is_connected(session) != 0;
}

}  // namespace cmpost
