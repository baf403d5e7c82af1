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
#include "watcher/directory_watch.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/intake_gate.h"

namespace cmpost {

// The file with what a channel has received, for `cmpost status`.
std::string received_file(const ChannelSettings& channel);

// Looks for files of batches (batch_name.h) in settings.directory.in. A batch that is whole,
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
class OneWayIngress final : public Ingress {
 public:
  // All references must outlive the object.
  OneWayIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;

 private:
  // How a batch that is not whole looked, and since when.
  struct Incomplete {
    std::string look;
    Time since{};
    std::string torn;
    bool told = false;
  };
  using Key = std::pair<std::string, std::uint64_t>;

  Result<void> ensure_open();
  Result<ArrivedBatches> list() const;
  Result<Intake> take(const ArrivedBatch& arrived);
  Intake take_repeat(const ArrivedBatch& arrived);
  bool has_come_to_rest(const ArrivedBatch& arrived);
  Result<Intake> deposit(const ArrivedBatch& arrived, AssembledBatch batch);
  Job job_of(const BatchManifest& manifest, std::size_t index, Bytes message) const;
  Result<void> put_aside(const Job& job, const BatchName& name, ByteView contents,
                         const std::string& reason);
  void note_incomplete(const ArrivedBatch& arrived, const std::string& torn);
  std::string look_of(const ArrivedBatch& arrived) const;
  void tidy(const ArrivedBatch& arrived);
  void tell_order(const BatchManifest& manifest) const;
  Result<void> tell_complaints();

  const ChannelSettings settings_;
  JobQueue& requests_;
  const Clock& wall_;
  const Clock& steady_;
  IntakeGate gate_;
  DirectoryWatch watch_;
  FileDescriptor directory_;
  std::optional<DropDirectory> drop_;  // none: nothing can be moved here
  std::optional<ReceivedBatches> received_;
  std::map<Key, Incomplete> incomplete_;
  std::set<std::string> repeats_told_;  // manifests of batches that had come before
  std::map<Key, Incomplete> repeats_;   // whose manifests cannot be read
  std::map<std::string, std::set<std::uint64_t>> conflicts_;  // of this look
  std::set<std::string> complaints_told_;
  Time next_scan_ = Time::min();
};

}  // namespace cmpost
