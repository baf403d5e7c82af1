// An SSH connection with its SFTP subsystem.
#pragma once

#include <memory>
#include <string>

#include "config/transport/sftp_settings.h"
#include "sftp/wire/host_key.h"
#include "sftp/wire/sftp_stream.h"
#include "sftp/wire/socket_watchdog.h"

struct ssh_key_struct;

namespace cmpost {

class SshConnection final : public SftpStream {
 public:
  // Connects, checks the host key against settings.known_hosts, logs in and starts SFTP, each step
  // within settings.time_limit. The host key is checked before anything secret is said.
  static tl::expected<std::unique_ptr<SftpStream>, DialFailure> open(const SftpUrl& url,
                                                                     const SftpSettings& settings,
                                                                     SocketWatchdog& watchdog);

  // Goes no further than the host key.
  static Result<HostKey> host_key(const SftpUrl& url, const SftpSettings& settings,
                                  SocketWatchdog& watchdog);

  ~SshConnection() override;

  Result<void> write(ByteView octets) override;
  Result<Bytes> read() override;
  bool keep_alive() override;
  const std::string& peer() const override { return peer_; }

 private:
  struct Handles;
  SshConnection(const SftpUrl& url, const SftpSettings& settings, SocketWatchdog& watchdog);

  Result<void> begin();
  Result<HostKey> shown_key();
  Result<void> check_host_key();
  Result<void> log_in();
  Result<void> start_sftp();
  Error broken(std::string_view doing);

  const SftpUrl url_;
  const SftpSettings settings_;
  SocketWatchdog& watchdog_;
  const std::string peer_;
  std::unique_ptr<SocketWatchdog::Watch> watch_;
  std::unique_ptr<Handles> handles_;
};

// "sftp://user@host:2222", for messages.
std::string sftp_peer(const SftpUrl& url);

// "ssh-ed25519 SHA256:..."; empty when there is no key.
std::string key_fingerprint(ssh_key_struct* key);

}  // namespace cmpost
