#include "mail/maildir_source.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "base/presence.h"

namespace cmpost {
namespace {

constexpr const char* kPlaces[] = {"new", "cur"};
constexpr std::size_t kMostRemembered = 100'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::string unique_part(const std::string& name) { return name.substr(0, name.find(':')); }

// "CMPost/Done" is ".CMPost.Done".
std::string maildir_folder(const std::string& name) {
  std::string folder = "." + name;
  std::replace(folder.begin(), folder.end(), '/', '.');
  return folder;
}

}  // namespace

MaildirSource::MaildirSource(const MailSettings& settings, const Clock& wall)
    : settings_(settings), wall_(wall), root_(settings.fetch.path) {}

Result<void> MaildirSource::connect(const std::stop_token& /*stop*/) {
  for (const auto* const place : kPlaces) TRY(open_directory(root_ + "/" + place));
  return {};
}

Result<void> MaildirSource::scan_directory(const std::string& directory,
                                           std::vector<Found>& found) const {
  const auto path = root_ + "/" + directory;
  const std::unique_ptr<DIR, CloseDirectory> entries(::opendir(path.c_str()));
  if (!entries) return failure(errno_error("opening directory", path, errno));
  const int fd = ::dirfd(entries.get());
  while (const auto* entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    struct stat status {};
    if (name.starts_with('.') || ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    FileIdentity identity;
    identity.inode = status.st_ino;
    identity.size = static_cast<std::uint64_t>(status.st_size);
    identity.mtime_nanos = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    found.push_back({directory, name, unique_part(name), identity});
  }
  return {};
}

// Sorted by age. new/ comes first: a mail that a reader moves meanwhile is then met twice instead
// of never.
Result<std::vector<MaildirSource::Found>> MaildirSource::scan() const {
  std::vector<Found> found;
  for (const auto* const place : kPlaces) TRY(scan_directory(place, found));
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return a.identity.mtime_nanos < b.identity.mtime_nanos;
  });
  return found;
}

Result<std::vector<MailHandle>> MaildirSource::list(std::size_t max,
                                                    const std::stop_token& /*stop*/) {
  // Before the scan: what comes during it ends the next wait().
  watch_.watch(root_ + "/new");
  watch_.read();
  ASSIGN_OR_RETURN(const auto found, scan());
  std::set<std::string> there;
  std::vector<MailHandle> mails;
  for (const auto& mail : found) {
    if (!there.insert(mail.unique).second || foreign_.contains(mail.unique)) continue;
    if (mails.size() == max) continue;
    mails.push_back({mail.directory + "/" + mail.name, arrival_of(mail), mail.identity.size});
  }
  std::erase_if(foreign_, [&](const auto& unique) { return !there.contains(unique); });
  return mails;
}

// One that was filed away and is there once more has been put in again by a person.
std::string MaildirSource::arrival_of(const Found& mail) const {
  const auto arrival = "maildir:" + root_ + ";" + mail.unique;
  const auto done = done_.find(mail.unique);
  if (done == done_.end()) return arrival;
  return arrival + ";AFTER=" + std::to_string(to_unix_micros(done->second));
}

// Mail programs move mails from new/ to cur/ and rename them when flags change.
Result<std::optional<MaildirSource::Found>> MaildirSource::find(const std::string& key) const {
  const auto slash = key.find('/');
  const Found known{
      key.substr(0, slash), key.substr(slash + 1), unique_part(key.substr(slash + 1)), {}};
  ASSIGN_OR_RETURN(const bool there, is_there(root_ + "/" + key));
  if (there) return known;
  ASSIGN_OR_RETURN(const auto found, scan());
  for (const auto& mail : found) {
    if (mail.unique == known.unique) return mail;
  }
  return std::nullopt;
}

Result<std::optional<Bytes>> MaildirSource::fetch(const MailHandle& mail, std::size_t max,
                                                  const std::stop_token& /*stop*/) {
  ASSIGN_OR_RETURN(const auto found, find(mail.key));
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(const auto directory, open_directory(root_ + "/" + found->directory));
  // Somebody may have moved it just now: the next list() shows it again.
  return read_if_there(directory, found->name, max);
}

// Maildir++ marks a folder with the empty file "maildirfolder".
Result<void> MaildirSource::make_folder(const std::string& path) const {
  ASSIGN_OR_RETURN(const bool made, is_there(path + "/maildirfolder"));
  if (made) return {};
  // Who may read the Maildir may read its folders.
  ASSIGN_OR_RETURN(const auto root, open_directory(root_));
  ASSIGN_OR_RETURN(const auto identity, identify(root, root_));
  for (const auto* const part : {"/tmp", "/new", "/cur"}) {
    TRY(make_directories(path + part, identity.mode & 0777U));
  }
  return write_file(path + "/maildirfolder", {}, identity.mode & 0666U, IfExists::replace);
}

Result<void> MaildirSource::move(const Found& mail, const FileDescriptor& target) const {
  ASSIGN_OR_RETURN(const auto directory, open_directory(root_ + "/" + mail.directory));
  const auto info = mail.name.size() > mail.unique.size() ? mail.name.substr(mail.unique.size())
                                                          : std::string(":2,");
  const auto moved = rename_no_replace(directory, mail.name, target, mail.unique + info);
  if (moved) return {};
  ASSIGN_OR_RETURN(const bool there, is_there(directory, mail.name));
  if (!there) return {};  // somebody else has moved it
  // One of that name lies there already, from before a person put this one back.
  for (int number = 1; number < 100; ++number) {
    const auto name = mail.unique + "-" + std::to_string(number) + info;
    if (rename_no_replace(directory, mail.name, target, name)) return {};
  }
  return failure(moved.error());
}

// Later than the time before, whatever the clock says: two arrivals are never one.
void MaildirSource::note_done(const std::string& unique) {
  if (done_.size() >= kMostRemembered) done_.clear();
  auto& time = done_[unique];
  time = std::max(wall_.now(), time + Duration(1));
}

Result<void> MaildirSource::file_away(std::span<const MailHandle> mails, MailPlace place,
                                      const std::stop_token& /*stop*/) {
  if (place == MailPlace::foreign) {
    for (const auto& mail : mails) {
      foreign_.insert(unique_part(mail.key.substr(mail.key.find('/') + 1)));
    }
    return {};
  }
  if (mails.empty()) return {};
  const auto& folder =
      place == MailPlace::done ? settings_.done_folder : settings_.quarantine_folder;
  const auto path = root_ + "/" + maildir_folder(folder);
  TRY(make_folder(path));
  ASSIGN_OR_RETURN(const auto target, open_directory(path + "/cur"));
  for (const auto& mail : mails) {
    ASSIGN_OR_RETURN(const auto found, find(mail.key));
    if (!found) continue;
    TRY(move(*found, target));
    if (place == MailPlace::done) note_done(found->unique);
  }
  // What a loss of power undoes is offered again.
  return sync(target, path);
}

Result<void> MaildirSource::wait(Duration time_out, const std::stop_token& stop) {
  watch_.wait(std::min(time_out, settings_.poll), stop);
  return {};
}

}  // namespace cmpost
