#include "crypto/x509/crl_files.h"

#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxCrlFile = 64 << 20;
constexpr auto kLookEvery = std::chrono::minutes(1);

std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_ino) + ":" + std::to_string(status.st_size) + ":" +
         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

Result<std::vector<RevocationList>> read_crl_file(const std::string& path) {
  ASSIGN_OR_RETURN(const auto contents, read_file(path, kMaxCrlFile));
  auto lists = RevocationList::from_file(contents);
  if (!lists) return failure(std::move(lists).error().within(path));
  return lists;
}

}  // namespace

Result<std::unique_ptr<CrlFiles>> CrlFiles::open(std::vector<std::string> paths) {
  std::vector<File> files;
  for (auto& path : paths) {
    auto stamp = stamp_of(path);
    ASSIGN_OR_RETURN(auto lists, read_crl_file(path));
    files.push_back({std::move(path), std::move(stamp), std::move(lists)});
  }
  return std::unique_ptr<CrlFiles>(new CrlFiles(std::move(files)));
}

CrlFiles::CrlFiles(std::vector<File> files) : files_(std::move(files)) { join(); }

void CrlFiles::join() {
  std::vector<RevocationList> all;
  for (const auto& file : files_) all.insert(all.end(), file.lists.begin(), file.lists.end());
  lists_ = std::make_shared<const std::vector<RevocationList>>(std::move(all));
}

void CrlFiles::look_again() {
  bool changed = false;
  for (auto& file : files_) {
    auto stamp = stamp_of(file.path);
    if (stamp == file.stamp) continue;
    file.stamp = std::move(stamp);
    auto lists = read_crl_file(file.path);
    if (!lists) {
      log::error("crl.unreadable", {{"file", file.path}, {"error", to_string(lists.error())}});
      continue;
    }
    file.lists = std::move(*lists);
    changed = true;
  }
  if (changed) join();
}

CrlFiles::Lists CrlFiles::lists(Time now) {
  const MutexLock lock(mutex_);
  if (!files_.empty() && (now - looked_ >= kLookEvery || now < looked_)) {
    looked_ = now;
    look_again();
  }
  return lists_;
}

}  // namespace cmpost
