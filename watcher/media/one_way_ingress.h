// Requests that come in numbered batches, from a sender that cannot be asked.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "carrier/batch_assembly.h"
#include "carrier/received_batches.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/deposit.h"
#include "watcher/directory_watch.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/left_alone.h"

namespace cmpost {

// The file with what a channel has received, for `cmpost status`.
std::string received_file(const ChannelSettings& channel);

// Looks for files of batches (batch_name.h) in settings.directory()->in. A batch that is whole,
// whichever copies its files come from, is put into the queue in one commit, then noted as
// received, then moved to in/.done. What cannot be a request is listed as a held job and lies in
// in/.quarantine. Jobs are named by stream, number and place, so that a batch that comes again
// makes no second job even if the memory of what was received is lost.
//
// Each of these is told once in the log, with its number, and as long as it lasts in
// `cmpost status` and `cmpost check`: a batch that is missing while a later one has come, one that
// is torn (some of its files are not whole), and one under a number under which another has come:
// the files of that stay where they are. Batches that come again or late are told in the log. A
// batch is worked on when it is whole, even while an earlier one is missing.
//
// Where nothing may be moved (a read-only directory) files stay, and what was received is known.
// The same where it cannot be moved for another reason, which is told.
class OneWayIngress final : public Ingress {
 public:
  // All references must outlive the object.
  OneWayIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

 private:
  // How a batch that is not whole looked, and since when.
  struct Incomplete {
    std::string look;
    Time since{};
    std::string torn;
    bool told = false;
    bool not_read = false;  // so that the same look may tell more the next time
  };
  // A manifest of a batch that had come before, as found when it looked like this.
  struct Repeat {
    std::string look;
    FoundManifest::What what = FoundManifest::What::gone;
    Sha256 hash{};    // fits
    std::string why;  // damaged, not_read
    bool told = false;
  };
  using Key = std::pair<std::string, std::uint64_t>;

  Result<void> ensure_open();
  void open_drop();
  void cannot_move(const Error& error);
  Result<ArrivedBatches> list();
  Result<Intake> take(const ArrivedBatch& arrived);
  Result<Intake> deposit(const ArrivedBatch& arrived, AssembledBatch batch);
  Job job_of(const BatchManifest& manifest, std::size_t index, Bytes message) const;
  Result<void> put_aside(const Job& job, const BatchName& name, ByteView contents,
                         const std::string& reason);
  void note_incomplete(const ArrivedBatch& arrived, const std::string& torn, bool not_read);
  std::string look_of(const ArrivedBatch& arrived) const;
  std::string look_of(const std::string& name) const;
  void tidy(const ArrivedBatch& arrived);
  void tell_order(const BatchManifest& manifest) const;
  void forget_gone(const ArrivedBatches& arrived);
  Result<void> tell_complaints(bool whole_look);

  // What had come before (repeated_batches.cpp).
  Intake take_repeat(const ArrivedBatch& arrived);
  Repeat& look_at_repeat(const ArrivedBatch& arrived, const std::string& name);
  void tell_repeat(Repeat& repeat, const ArrivedBatch& arrived, std::uint64_t copy) const;
  bool has_come_to_rest(const ArrivedBatch& arrived);

  const ChannelSettings settings_;
  const Clock& wall_;
  const Clock& steady_;
  Deposit deposit_;
  DirectoryWatch watch_;
  LeftAlone left_alone_;
  FileDescriptor directory_;
  std::optional<DropDirectory> drop_;  // none: nothing can be moved here
  std::string not_moved_;              // why not, where it should be possible
  std::string told_not_moved_;
  std::optional<ReceivedBatches> received_;
  std::map<Key, Incomplete> incomplete_;
  std::map<std::string, Repeat> repeats_;  // by the name of the manifest, as long as it is there
  std::map<Key, Incomplete> without_manifest_;  // of batches that had come before: no sound one
  // Of this look, in which each is found anew:
  std::map<std::string, std::set<std::uint64_t>> conflicts_;
  std::map<Key, std::string> unclear_repeats_;  // why nobody can say whether they are
  std::set<std::string> complaints_told_;
  Time next_scan_ = Time::min();
};

}  // namespace cmpost
