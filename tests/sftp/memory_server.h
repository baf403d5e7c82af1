// An SFTP server in memory, without SSH, that lies when it is told to.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/transport/sftp_settings.h"
#include "sftp/wire/sftp_stream.h"

namespace cmpost {

// Files and directories by path; shared by all connections to it. Members may be called from any
// thread.
class MemoryServer {
 public:
  struct File {
    std::string contents;
    std::uint32_t mtime = 1'700'000'000;
    std::uint32_t mode = 0100644;
  };

  MemoryServer() {
    directory("/in");
    directory("/out");
  }

  void put(const std::string& path, const std::string& contents, std::uint32_t mtime = 0) {
    const std::lock_guard lock(mutex_);
    files_[path] = {contents, mtime == 0 ? ++time_ : mtime, 0100644};
  }
  void directory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_[path] = {{}, ++time_, 040755};
  }
  void set_mode(const std::string& path, std::uint32_t mode) {
    const std::lock_guard lock(mutex_);
    files_[path].mode = mode;
  }
  void remove(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_.erase(path);
  }
  std::optional<std::string> contents(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    return found == files_.end() ? std::nullopt : std::optional(found->second.contents);
  }
  // Names in a directory, without those of its directories.
  std::vector<std::string> names(const std::string& directory) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [path, file] : files_) {
      if (parent(path) == directory && (file.mode & 040000U) == 0) {
        names.push_back(path.substr(directory.size() + 1));
      }
    }
    return names;
  }

  // How it lies or fails.
  std::vector<std::string> extra_names;    // in every listing
  bool endless_listing = false;            // a listing never ends
  std::optional<std::uint64_t> told_size;  // of every file, in listings
  std::size_t most_per_read = 1U << 20U;   // short reads
  std::size_t more_than_asked = 0;         // octets that nobody asked for in each read
  bool read_only = false;                  // nothing can be changed
  bool full = false;                       // nothing can be written
  bool renames_over = false;               // as servers do that know no better
  bool fsync = true;
  std::size_t piece = 1021;  // octets that come at a time
  int break_after = -1;      // requests that it answers before it hangs up
  bool mute_rename = false;  // the next rename is done, and then it hangs up without an answer
  // Called between two requests, for what others do meanwhile: (type of request, its path).
  std::function<void(std::uint8_t, const std::string&)> before;

  SftpDial dial();
  std::size_t connections = 0;
  std::optional<DialFailure> refusal;  // of every connection

  std::string answer(ByteView packet, std::map<std::string, std::string>& handles);

 private:
  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  std::string list(const std::string& path, std::string& position);

  mutable std::recursive_mutex mutex_;
  std::map<std::string, File> files_;
  std::uint32_t time_ = 1'700'000'000;
  int next_handle_ = 0;
};

namespace memory_server {

inline std::string number(std::uint64_t value, int octets) {
  std::string text;
  for (int shift = octets * 8 - 8; shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> static_cast<unsigned>(shift));
  }
  return text;
}
inline std::string string(std::string_view text) {
  return number(text.size(), 4) + std::string(text);
}
inline std::string packet(std::uint8_t type, const std::string& body) {
  return number(body.size() + 1, 4) + static_cast<char>(type) + body;
}

class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  std::uint64_t number(std::size_t octets) {
    std::uint64_t value = 0;
    for (const char c : take(octets)) value = value << 8U | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string string() { return std::string(take(number(4))); }

 private:
  std::string_view take(std::size_t count) {
    const auto part = rest_.substr(0, count);
    rest_.remove_prefix(part.size());
    return part;
  }
  std::string_view rest_;
};

// One connection.
class Stream final : public SftpStream {
 public:
  explicit Stream(MemoryServer& server) : server_(server) {}

  Result<void> write(ByteView octets) override {
    input_ += text_of(octets);
    while (input_.size() >= 4) {
      const auto length = Reader(input_).number(4);
      if (input_.size() < 4 + length) break;
      output_ += server_.answer(view_of(input_).subspan(4, length), handles_);
      input_.erase(0, 4 + length);
    }
    return {};
  }
  Result<Bytes> read() override {
    if (output_.empty()) return retry(peer_ + " ended the SFTP session");
    // In pieces that fit to nothing.
    const auto count = std::min<std::size_t>(output_.size(), server_.piece);
    auto some = to_bytes(std::string_view(output_).substr(0, count));
    output_.erase(0, count);
    return some;
  }
  bool keep_alive() override { return true; }
  const std::string& peer() const override { return peer_; }

 private:
  MemoryServer& server_;
  std::map<std::string, std::string> handles_;
  std::string input_, output_;
  const std::string peer_ = "sftp://memory";
};

}  // namespace memory_server

inline SftpDial MemoryServer::dial() {
  return [this](SocketWatchdog&) -> tl::expected<std::unique_ptr<SftpStream>, DialFailure> {
    const std::lock_guard lock(mutex_);
    ++connections;
    if (refusal) return failure(*refusal);
    return std::make_unique<memory_server::Stream>(*this);
  };
}

inline std::string MemoryServer::list(const std::string& path, std::string& position) {
  constexpr int kAtOnce = 3;
  using namespace memory_server;
  std::string entries;
  int count = 0;
  const auto add = [&](const std::string& name, const File& file) {
    const auto size = told_size.value_or(file.contents.size());
    entries += string(name) + string("-rw-r--r-- " + name) + number(0x0d, 4) + number(size, 8) +
               number(file.mode, 4) + number(file.mtime, 4) + number(file.mtime, 4);
    ++count;
  };
  if (position.empty()) {
    for (const auto& name : extra_names) add(name, File{"x"});
    add(".", File{{}, 1, 040755});
  }
  for (auto file = files_.upper_bound(position); file != files_.end() && count < kAtOnce; ++file) {
    position = file->first;
    if (parent(file->first) == path) add(file->first.substr(path.size() + 1), file->second);
  }
  if (endless_listing) {
    for (int i = 0; i < 1000; ++i) add("endless" + std::to_string(++next_handle_), File{"x"});
  }
  if (position.empty()) position = "/";
  return count == 0 ? std::string() : number(static_cast<std::uint64_t>(count), 4) + entries;
}

inline std::string MemoryServer::answer(ByteView request,
                                        std::map<std::string, std::string>& handles) {
  using namespace memory_server;
  const std::lock_guard lock(mutex_);
  if (break_after == 0) return {};
  if (break_after > 0) --break_after;
  Reader reader(text_of(request));
  const auto type = static_cast<std::uint8_t>(reader.number(1));
  if (type == 1) {
    std::string body = number(3, 4);
    if (fsync) body += string("fsync@openssh.com") + string("1");
    return packet(2, body);
  }
  const auto id = number(reader.number(4), 4);
  const auto status = [&](std::uint64_t code) {
    return packet(101, id + number(code, 4) + string("Failure") + string(""));
  };
  const auto first = reader.string();
  if (before) before(type, first);
  const auto file = files_.find(first);
  const bool changes = type == 6 || type == 13 || type == 14 || type == 18;
  if (read_only && changes) return status(3);
  switch (type) {
    case 3: {  // OPEN
      const auto flags = reader.number(4);
      if ((flags & 8U) != 0) {
        if (read_only) return status(3);
        if (file != files_.end() || !files_.contains(parent(first))) return status(4);
        files_[first] = {{}, ++time_, 0100644};
      } else if (file == files_.end()) {
        return status(2);
      }
      const auto handle = std::to_string(++next_handle_);
      handles[handle] = first;
      return packet(102, id + string(handle));
    }
    case 11: {  // OPENDIR
      if (file == files_.end()) return status(2);
      const auto handle = std::to_string(++next_handle_);
      handles[handle] = first;
      handles[handle + "@"] = "";
      return packet(102, id + string(handle));
    }
    case 12: {  // READDIR
      const auto names = list(handles[first], handles[first + "@"]);
      return names.empty() ? status(1) : packet(104, id + names);
    }
    case 4:  // CLOSE
      return status(0);
    case 5: {  // READ
      const auto open = files_.find(handles[first]);
      if (open == files_.end()) return status(4);
      const auto offset = reader.number(8);
      const auto length = std::min<std::size_t>(reader.number(4), most_per_read);
      const auto& contents = open->second.contents;
      if (offset >= contents.size() && more_than_asked == 0) return status(1);
      auto data = contents.substr(std::min<std::size_t>(offset, contents.size()), length);
      if (more_than_asked > 0) data = std::string(length + more_than_asked, 'x');
      return packet(103, id + string(data));
    }
    case 6: {  // WRITE
      if (full) return status(4);
      auto& contents = files_[handles[first]].contents;
      const auto offset = reader.number(8);
      contents.resize(offset);
      contents += reader.string();
      return status(0);
    }
    case 7:
    case 17: {  // LSTAT, STAT
      if (file == files_.end()) return status(2);
      return packet(105, id + number(0x0d, 4) + number(file->second.contents.size(), 8) +
                             number(file->second.mode, 4) + number(file->second.mtime, 4) +
                             number(file->second.mtime, 4));
    }
    case 13:  // REMOVE
      if (file == files_.end()) return status(2);
      files_.erase(file);
      return status(0);
    case 14:  // MKDIR
      if (file != files_.end()) return status(4);
      files_[first] = {{}, ++time_, 040755};
      return status(0);
    case 18: {  // RENAME
      const auto to = reader.string();
      if (file == files_.end()) return status(2);
      if ((files_.contains(to) && !renames_over) || !files_.contains(parent(to))) return status(4);
      const auto moved = file->second;
      files_.erase(file);
      files_[to] = moved;
      if (!std::exchange(mute_rename, false)) return status(0);
      break_after = 0;
      return {};
    }
    case 200:  // EXTENDED
      return status(first == "fsync@openssh.com" && fsync ? 0 : 8);
    default:
      return status(8);
  }
}

}  // namespace cmpost
