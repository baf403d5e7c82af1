#include "watcher/media/copy_ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/crash_point.h"
#include "base/presence.h"
#include "watcher/file_names.h"

namespace cmpost {
namespace {

constexpr std::string_view kLedgerMark = "cmpost-copied 1\n";
constexpr std::size_t kLargestCopyLedger = std::size_t{256} << 20U;

std::string line_of(const CopiedFile& file) {
  return to_hex(file.sha256) + " " + std::to_string(file.size) + " " +
         std::to_string(file.mtime_nanos) + " " + to_hex(view_of(file.name)) + "\n";
}

std::optional<CopiedFile> file_of(std::string_view line) {
  constexpr std::size_t kHexDigest = 64;
  if (line.size() <= kHexDigest + 1) return std::nullopt;
  CopiedFile file;
  const auto digest = from_hex(line.substr(0, kHexDigest));
  if (!digest || digest->size() != file.sha256.size()) return std::nullopt;
  std::copy(digest->begin(), digest->end(), file.sha256.begin());
  const char* const end = line.data() + line.size();
  const auto size = std::from_chars(line.data() + kHexDigest + 1, end, file.size);
  if (size.ec != std::errc() || size.ptr == end) return std::nullopt;
  const auto time = std::from_chars(size.ptr + 1, end, file.mtime_nanos);
  if (time.ec != std::errc() || time.ptr == end) return std::nullopt;
  const auto name = from_hex(std::string_view(time.ptr + 1, end));
  if (!name || name->empty()) return std::nullopt;
  file.name = text_of(*name);
  return file;
}

}  // namespace

std::string CopiedFile::key() const {
  return to_hex(cmpost::sha256(view_of(line_of(*this)))).substr(0, 32);
}

Result<CopyLedger> CopyLedger::open(const std::string& directory) {
  CopyLedger ledger(directory);
  TRY(make_directories(directory + "/.copy"));
  TRY(make_directories(directory + "/in"));
  TRY(ledger.read());
  TRY(ledger.publish(ledger.files_));
  ledger.remove_unfinished();
  return ledger;
}

Result<void> CopyLedger::read() {
  const auto path = directory_ + "/copied";
  ASSIGN_OR_RETURN(const auto contents, read_if_there(path, kLargestCopyLedger));
  if (!contents) return {};
  auto text = text_of(*contents);
  if (!text.starts_with(kLedgerMark)) return hold(path + " is damaged");
  text.remove_prefix(kLedgerMark.size());
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto file = file_of(text.substr(0, end));
    if (!file) return hold(path + " is damaged", "remove it when the medium is empty");
    keys_.insert(file->key());
    files_.push_back(std::move(*file));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<void> CopyLedger::save(const std::vector<CopiedFile>& files) const {
  std::string text(kLedgerMark);
  for (const auto& file : files) text += line_of(file);
  return write_file(directory_ + "/copied", view_of(text), 0640, IfExists::replace);
}

bool CopyLedger::has(const CopiedFile& file) const { return keys_.contains(file.key()); }

Result<void> CopyLedger::write_copy(const CopiedFile& file, ByteView contents) const {
  const auto path = directory_ + "/.copy/" + file.key();
  TRY(write_file(path, contents, 0640, IfExists::replace));
  crash_point("media.copied");
  return {};
}

Result<void> CopyLedger::commit(const std::vector<CopiedFile>& files) {
  auto next = files_;
  next.insert(next.end(), files.begin(), files.end());
  TRY(save(next));
  crash_point("media.committed");
  files_ = std::move(next);
  for (const auto& file : files) keys_.insert(file.key());
  return publish(files);
}

// A copy is there once and is renamed once, so it is worked on once.
Result<void> CopyLedger::publish(const std::vector<CopiedFile>& files) const {
  ASSIGN_OR_RETURN(const auto copies, open_directory(directory_ + "/.copy"));
  ASSIGN_OR_RETURN(const auto in, open_directory(directory_ + "/in"));
  bool any = false;
  for (const auto& file : files) {
    const auto key = file.key();
    if (::faccessat(copies.get(), key.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // it was put there before
      return failure(errno_error("examining", key, errno));
    }
    any = true;
    Result<void> moved;
    for (const auto& name : {marked_name(file.name, ""), marked_name(file.name, key)}) {
      moved = rename_no_replace(copies, key, in, name);
      if (moved) break;
    }
    TRY(std::move(moved));
    crash_point("media.published");
  }
  return any ? sync(in, directory_ + "/in") : Result<void>();
}

Result<void> CopyLedger::forget(const std::vector<CopiedFile>& files) {
  if (files.empty()) return {};
  std::set<std::string> gone;
  for (const auto& file : files) gone.insert(file.key());
  auto next = files_;
  std::erase_if(next, [&](const auto& file) { return gone.contains(file.key()); });
  TRY(save(next));
  files_ = std::move(next);
  for (const auto& key : gone) keys_.erase(key);
  return {};
}

void CopyLedger::remove_unfinished() const {
  std::error_code error;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator at(directory_ + "/.copy", error), end;
       !error && at != end; at.increment(error)) {
    left.push_back(at->path());
  }
  for (const auto& path : left) std::filesystem::remove(path, error);
}

}  // namespace cmpost
