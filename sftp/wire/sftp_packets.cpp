#include "sftp/wire/sftp_packets.h"

#include <sys/stat.h>

namespace cmpost {
namespace {

enum Type : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kMkdir = 14,
  kStat = 17,
  kRename = 18,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttrs = 105,
  kExtended = 200,
  kExtendedReply = 201
};
constexpr std::uint32_t kOurVersion = 3;
constexpr std::uint32_t kForReading = 0x01, kForWriting = 0x02, kCreate = 0x08, kExclusive = 0x20;
constexpr std::uint32_t kHasSize = 0x01, kHasOwner = 0x02, kHasMode = 0x04, kHasTimes = 0x08,
                        kHasExtended = 0x80000000U;
constexpr std::size_t kMaxHandle = 256;  // the draft's
constexpr std::uint32_t kAnswerMode = 0644, kDirectoryMode = 0755;

template <typename T>
void put_number(Bytes& target, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    target.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
  }
}
void put_string(Bytes& target, ByteView text) {
  put_number(target, static_cast<std::uint32_t>(text.size()));
  append(target, text);
}
void put_string(Bytes& target, std::string_view text) { put_string(target, view_of(text)); }

SftpRequest with_path(Type type, std::string_view path) {
  SftpRequest request{type, {}, 0};
  put_string(request.body, path);
  return request;
}
SftpRequest with_handle(Type type, ByteView handle) { return with_path(type, text_of(handle)); }

// Takes a packet apart from its front; once something is missing it stays failed.
class PacketReader {
 public:
  explicit PacketReader(ByteView rest) : rest_(rest) {}

  template <typename T>
  T number() {
    T value = 0;
    for (const auto octet : take(sizeof(T))) value = static_cast<T>(value << 8U | octet);
    return value;
  }
  ByteView string() { return take(number<std::uint32_t>()); }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  ByteView rest() { return take(rest_.size()); }

 private:
  ByteView take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto part = rest_.first(count);
    rest_ = rest_.subspan(count);
    return part;
  }

  ByteView rest_;
  bool failed_ = false;
};

RemoteLook read_look(PacketReader& reader) {
  RemoteLook look;
  const auto flags = reader.number<std::uint32_t>();
  if ((flags & kHasSize) != 0) look.size = reader.number<std::uint64_t>();
  if ((flags & kHasOwner) != 0) reader.number<std::uint64_t>();
  if ((flags & kHasMode) != 0) look.mode = reader.number<std::uint32_t>();
  if ((flags & kHasTimes) != 0) {
    reader.number<std::uint32_t>();  // of the last access
    look.mtime = reader.number<std::uint32_t>();
  }
  if ((flags & kHasExtended) == 0) return look;
  for (auto count = reader.number<std::uint32_t>(); count > 0 && !reader.failed(); --count) {
    reader.string();
    reader.string();
  }
  return look;
}

void read_names(PacketReader& reader, SftpReply& reply) {
  // The count is a stranger's: the packet's end ends the list, too.
  for (auto count = reader.number<std::uint32_t>(); count > 0 && !reader.failed(); --count) {
    RemoteEntry entry;
    entry.name = text_of(reader.string());
    reader.string();  // the line of `ls -l`, for people
    entry.look = read_look(reader);
    if (!reader.failed()) reply.names.push_back(std::move(entry));
  }
}

void read_status(PacketReader& reader, SftpReply& reply) {
  reply.code = static_cast<SftpCode>(reader.number<std::uint32_t>());
  // Servers of version 2 end here.
  if (!reader.failed() && !reader.at_end()) reply.message = printable(text_of(reader.string()));
}

bool read_body(std::uint8_t type, PacketReader& reader, SftpReply& reply) {
  using Kind = SftpReply::Kind;
  switch (type) {
    case kStatus:
      reply.kind = Kind::status;
      read_status(reader, reply);
      return true;
    case kHandle:
      reply.kind = Kind::handle;
      reply.data = to_bytes(reader.string());
      return reply.data.size() <= kMaxHandle;
    case kData:
      reply.kind = Kind::data;
      reply.data = to_bytes(reader.string());
      return true;
    case kName:
      reply.kind = Kind::names;
      read_names(reader, reply);
      return true;
    case kAttrs:
      reply.kind = Kind::look;
      reply.look = read_look(reader);
      return true;
    case kExtendedReply:
      reply.kind = Kind::extended;
      reply.data = to_bytes(reader.rest());
      return true;
    default:
      return false;
  }
}

auto not_sftp() {
  return retry("the server sent a packet that is not SFTP", "is the host really an SFTP server?");
}

SftpRequest open_file(std::string_view path, std::uint32_t flags,
                      std::optional<std::uint32_t> mode) {
  auto request = with_path(kOpen, path);
  put_number(request.body, flags);
  put_number(request.body, mode ? kHasMode : 0U);
  if (mode) put_number(request.body, *mode);
  return request;
}

SftpRequest extended(std::string_view name, std::string_view argument) {
  auto request = with_path(kExtended, name);
  put_string(request.body, argument);
  return request;
}

}  // namespace

RemoteLook::Kind RemoteLook::kind() const {
  const auto bits = mode.value_or(0) & static_cast<std::uint32_t>(S_IFMT);
  if (bits == 0) return Kind::not_told;
  if (bits == S_IFREG) return Kind::file;
  return bits == S_IFDIR ? Kind::directory : Kind::other;
}

SftpRequest sftp_open_for_reading(std::string_view path) {
  return open_file(path, kForReading, std::nullopt);
}
SftpRequest sftp_open_new(std::string_view path) {
  return open_file(path, kForWriting | kCreate | kExclusive, kAnswerMode);
}
SftpRequest sftp_close(ByteView handle) { return with_handle(kClose, handle); }
SftpRequest sftp_read(ByteView handle, std::uint64_t offset, std::uint32_t length) {
  auto request = with_handle(kRead, handle);
  put_number(request.body, offset);
  put_number(request.body, length);
  request.reply_octets = length;
  return request;
}
SftpRequest sftp_write(ByteView handle, std::uint64_t offset, ByteView data) {
  auto request = with_handle(kWrite, handle);
  put_number(request.body, offset);
  put_string(request.body, data);
  return request;
}
SftpRequest sftp_fsync(ByteView handle) { return extended("fsync@openssh.com", text_of(handle)); }
SftpRequest sftp_look(std::string_view path) { return with_path(kLstat, path); }
SftpRequest sftp_look_through(std::string_view path) { return with_path(kStat, path); }
SftpRequest sftp_file_system(std::string_view path) {
  return extended("statvfs@openssh.com", path);
}
SftpRequest sftp_open_directory(std::string_view path) { return with_path(kOpendir, path); }
SftpRequest sftp_read_directory(ByteView handle) {
  auto request = with_handle(kReaddir, handle);
  request.reply_octets = std::size_t{32} << 10U;
  return request;
}
SftpRequest sftp_remove(std::string_view path) { return with_path(kRemove, path); }
SftpRequest sftp_make_directory(std::string_view path) {
  auto request = with_path(kMkdir, path);
  put_number(request.body, kHasMode);
  put_number(request.body, kDirectoryMode);
  return request;
}
SftpRequest sftp_rename(std::string_view from, std::string_view to) {
  auto request = with_path(kRename, from);
  put_string(request.body, to);
  return request;
}

Result<SftpReply> read_sftp_reply(ByteView packet) {
  PacketReader reader(packet);
  const auto type = reader.number<std::uint8_t>();
  SftpReply reply;
  reply.id = reader.number<std::uint32_t>();
  if (!read_body(type, reader, reply) || reader.failed()) return not_sftp();
  return reply;
}

Result<SftpVersion> read_sftp_version(ByteView packet) {
  PacketReader reader(packet);
  const auto type = reader.number<std::uint8_t>();
  SftpVersion version;
  version.version = reader.number<std::uint32_t>();
  if (type != kVersion || reader.failed()) return not_sftp();
  while (!reader.at_end()) {
    version.extensions.emplace_back(text_of(reader.string()));
    reader.string();
    if (reader.failed()) return not_sftp();
  }
  if (version.version < kOurVersion) {
    return hold("the server speaks only version " + std::to_string(version.version) + " of SFTP",
                "version 3 is needed, which every server of this century has");
  }
  return version;
}

std::optional<RemoteFileSystem> read_file_system(const SftpReply& reply) {
  if (reply.kind != SftpReply::Kind::extended) return std::nullopt;
  // bsize frsize blocks bfree bavail files ffree favail fsid flag namemax (OpenSSH's PROTOCOL 4.4)
  PacketReader reader(reply.data);
  for (int skipped = 0; skipped < 4; ++skipped) reader.number<std::uint64_t>();
  RemoteFileSystem system;
  system.free_blocks = reader.number<std::uint64_t>();
  system.files = reader.number<std::uint64_t>();
  reader.number<std::uint64_t>();
  system.free_files = reader.number<std::uint64_t>();
  reader.number<std::uint64_t>();
  system.read_only = (reader.number<std::uint64_t>() & 1U) != 0;
  if (reader.failed()) return std::nullopt;
  return system;
}

Bytes sftp_init_packet() {
  Bytes packet;
  put_number(packet, std::uint32_t{5});
  put_number(packet, std::uint8_t{kInit});
  put_number(packet, kOurVersion);
  return packet;
}

void append_packet(Bytes& target, const SftpRequest& request, std::uint32_t id) {
  put_number(target, static_cast<std::uint32_t>(5 + request.body.size()));
  put_number(target, request.type);
  put_number(target, id);
  append(target, request.body);
}

}  // namespace cmpost
