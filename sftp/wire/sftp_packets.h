// The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): requests written, replies read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// A request without its length and id, which SftpDialogue adds.
struct SftpRequest {
  std::uint8_t type = 0;
  Bytes body;
  std::size_t reply_octets = 0;  // about as many are expected in the reply's data
};

SftpRequest sftp_open_for_reading(std::string_view path);
// Fails when there is a file of that name.
SftpRequest sftp_open_new(std::string_view path);
SftpRequest sftp_close(ByteView handle);
SftpRequest sftp_read(ByteView handle, std::uint64_t offset, std::uint32_t length);
SftpRequest sftp_write(ByteView handle, std::uint64_t offset, ByteView data);
SftpRequest sftp_fsync(ByteView handle);               // fsync@openssh.com
SftpRequest sftp_look(std::string_view path);          // LSTAT: of a symbolic link itself
SftpRequest sftp_look_through(std::string_view path);  // STAT
SftpRequest sftp_file_system(std::string_view path);   // statvfs@openssh.com
SftpRequest sftp_open_directory(std::string_view path);
SftpRequest sftp_read_directory(ByteView handle);
SftpRequest sftp_remove(std::string_view path);
SftpRequest sftp_make_directory(std::string_view path);
// An existing target is refused by servers that keep to version 3.
SftpRequest sftp_rename(std::string_view from, std::string_view to);

// A file as the server describes it. Anything may be missing, and nothing of it need be true.
struct RemoteLook {
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> mode;   // with the S_IFMT bits
  std::optional<std::uint32_t> mtime;  // Unix seconds
  // Servers may leave the mode out, or its S_IFMT bits: then opening it tells.
  enum class Kind { not_told, file, directory, other };
  Kind kind() const;
  bool may_be_file() const { return kind() == Kind::file || kind() == Kind::not_told; }
  friend bool operator==(const RemoteLook&, const RemoteLook&) = default;
};

struct RemoteEntry {
  std::string name;  // as sent: judge it (remote_name.h) before it becomes part of a path
  RemoteLook look;
};

enum class SftpCode : std::uint32_t {
  ok = 0,
  eof = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,
  bad_message = 5,
  no_connection = 6,
  connection_lost = 7,
  unsupported = 8
};

struct SftpReply {
  enum class Kind { status, handle, data, names, look, extended };
  std::uint32_t id = 0;
  Kind kind = Kind::status;
  SftpCode code = SftpCode::failure;  // status
  std::string message;                // status: the server's own words, printable
  Bytes data;                         // handle, data, extended
  std::vector<RemoteEntry> names;
  RemoteLook look;
};

// The longest packet that is read: OpenSSH's own limit.
inline constexpr std::size_t kMaxSftpPacket = std::size_t{256} << 10U;

// `packet` is what follows the length. An Error is a server that does not speak SFTP.
Result<SftpReply> read_sftp_reply(ByteView packet);

// The answer to INIT.
struct SftpVersion {
  std::uint32_t version = 0;
  std::vector<std::string> extensions;  // names
};
Result<SftpVersion> read_sftp_version(ByteView packet);

// Room and state of a file system, from the reply to sftp_file_system().
struct RemoteFileSystem {
  std::uint64_t free_blocks = 0, free_files = 0;  // for users without privileges
  std::uint64_t files = 0;                        // 0: it does not count files
  bool read_only = false;
};
std::optional<RemoteFileSystem> read_file_system(const SftpReply& reply);

// INIT itself, with its length.
Bytes sftp_init_packet();
// The whole packet: length, type, id, body.
void append_packet(Bytes& target, const SftpRequest& request, std::uint32_t id);

}  // namespace cmpost
