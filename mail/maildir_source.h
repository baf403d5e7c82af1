// Mails in a Maildir on this host.
#pragma once

#include <map>
#include <set>

#include "base/files.h"
#include "config/transport/mail_settings.h"
#include "mail/mail_source.h"
#include "watcher/directory_watch.h"

namespace cmpost {

// Reads what lies in new/ and cur/, in place. Done and quarantined mails are renamed into Maildir++
// folders of the same Maildir (".CMPost.Done"), which are made when they are missing; nothing is
// overwritten. Foreign mails are not touched, not even moved to cur/; they are remembered in memory
// and after a restart judged once more.
//
// The arrival names the directory and the unique part of the file name, which stays the same
// whatever mail programs do with the flags behind ":2,". One that this object has filed away as
// done and finds again is another arrival: somebody wants its answer once more.
class MaildirSource final : public MailSource {
 public:
  // `wall` must outlive the object.
  MaildirSource(const MailSettings& settings, const Clock& wall);

  Result<void> connect(const std::stop_token& stop) override;
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override;
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token& stop) override;
  Result<void> file_away(std::span<const MailHandle> mails, MailPlace place,
                         const std::stop_token& stop) override;
  Result<std::size_t> count_foreign(const std::stop_token&) override { return foreign_.size(); }
  Result<void> wait(Duration time_out, const std::stop_token& stop) override;

 private:
  struct Found {
    std::string directory;  // "new" or "cur"
    std::string name;
    std::string unique;
    FileIdentity identity;
  };
  Result<std::vector<Found>> scan() const;
  Result<void> scan_directory(const std::string& directory, std::vector<Found>& found) const;
  Result<std::optional<Found>> find(const std::string& unique) const;
  std::string arrival_of(const Found& mail) const;
  Result<void> make_folder(const std::string& path) const;
  Result<void> move(const Found& mail, const FileDescriptor& target) const;

  void note_done(const std::string& unique);

  const MailSettings settings_;
  const Clock& wall_;
  const std::string root_;
  std::map<std::string, Time> done_;  // unique parts of mails that were filed away, and when
  std::set<std::string> foreign_;     // unique parts of mails that are still there
  DirectoryWatch watch_;
};

}  // namespace cmpost
