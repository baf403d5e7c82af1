// Requests on a medium that is put in and taken out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "carrier/channel_notes.h"
#include "carrier/medium.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/deposit.h"
#include "watcher/directory_ingress.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/left_alone.h"
#include "watcher/media/copy_ledger.h"
#include "watcher/settling.h"

namespace cmpost {

// Copies the files of settings.directory()->in, which is there only while a medium is, to a
// directory of this machine (settings.state/media/ID/in), syncs each copy, reads both sides again
// and compares; then notes them as copied (copy_ledger.h), moves them to in/.done on the medium,
// and lets a DirectoryIngress work on the copies. The medium may be pulled out at any moment: what
// was noted as copied is worked on and not copied again, everything else is still on the medium.
// Nothing on the medium stays open between two calls, so it can be unmounted.
//
// Answers go back to the medium that the request came from: its id is the jobs' return address.
// A file that is larger than max_message is listed as a held job and lies in in/.quarantine on the
// medium. That no medium is there is no Error.
class MediaIngress final : public Ingress {
 public:
  // All references must outlive the object.
  MediaIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
               const Clock& steady, Random& random);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

 private:
  struct Found {
    std::string name;
    Look look;
  };

  Result<Intake> work_on_copies(const std::string& id, const std::stop_token& stop);
  DirectoryIngress& copies_of(const std::string& id);
  Result<Intake> work_on_left_copies(const std::stop_token& stop);
  Result<Intake> copy_all(const Medium& medium, const std::stop_token& stop);
  Result<std::vector<Found>> list(const FileDescriptor& in);
  void leave_alone(const std::string& name, const Look& look);
  void report(const std::string& name, const std::string& why);
  Result<std::size_t> copy_group(const FileDescriptor& in, std::span<const Found> group,
                                 CopyLedger& ledger, Intake& intake);
  // A file of the medium, or why it cannot be copied while others can; neither: it may still grow.
  struct Copied {
    std::optional<CopiedFile> file;
    std::string why;
  };
  Result<Copied> copy_one(const FileDescriptor& in, const Found& found, const CopyLedger& ledger);
  bool may_grow(const Found& found, const Bytes& contents);
  Result<Copied> unless_pulled_out(const Error& trouble) const;
  Result<void> put_aside_large(const FileDescriptor& in, const Found& found, Intake& intake);
  Result<void> let_go(const FileDescriptor& in, const Medium& medium, CopyLedger& ledger);
  void note_medium(const std::optional<Medium>& medium);
  MediumPlace place() const {
    return {settings_.directory()->in, settings_.directory()->mount_point};
  }
  std::string local(const std::string& id) const { return settings_.state + "/media/" + id; }

  const ChannelSettings settings_;
  const Clock& wall_;
  const Clock& steady_;
  Random& random_;
  Deposit deposit_;
  ChannelNote note_;
  Settling settling_;
  LeftAlone left_alone_;
  // By medium, of whose copies some cannot be taken or put away: what was told stays told.
  std::map<std::string, std::unique_ptr<DirectoryIngress>> copies_;
  std::optional<std::string> there_;  // the id of the medium that was there at the last look
  bool looked_ = false;
  Time next_look_ = Time::min();
};

}  // namespace cmpost
