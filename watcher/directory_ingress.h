// Requests that are dropped into a directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/candidate.h"
#include "watcher/directory_watch.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/settling.h"

namespace cmpost {

// Takes files from settings.directory.in:
//   in/x.pki         read, judged, then claimed by renaming it to
//   in/.work/x.pki   and put into the queue with up to 500 others; then renamed to
//   in/.done/x.pki   (or x-1.pki, ...: nothing is overwritten)
// and what cannot be taken is listed as a held job and renamed to
//   in/.quarantine/x.pki, with in/.quarantine/x.pki.reason.txt
// Files are found by events and, every `poll`, by a scan; when each is complete tells settling.h.
// A file whose job the processor holds later, since it is no PKIMessage, follows there at a scan.
// What lies in .work at a scan was left by a crash or by a queue that failed, and is deposited
// then. Sizes are checked before anything is read (max_message, of the file as it lies there).
//
// Names: hidden files, *.tmp *.part *.filepart *.crdownload and ~* are left alone, and so are
// directories that are not named like a request. Everything else is taken if it holds a message,
// whatever its name; a file that nobody would send by mistake is put into quarantine and told so.
// A file with several hard links is taken when it is settled: servers that rename by link and
// unlink show two for a moment.
class DirectoryIngress final : public Ingress {
 public:
  // All references must outlive the object. `steady` measures intervals (SteadyClock), `wall`
  // dates.
  DirectoryIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                   const Clock& steady);

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;

 private:
  // A file that was found and how it looked.
  struct Spot {
    DropDirectory::Place place;
    std::string name;
    Look look;
  };
  // A file in .work and its job.
  struct Claimed {
    std::string name;
    Job job;
  };

  Result<void> ensure_open();
  void note_events();
  Result<Intake> scan(const std::stop_token& stop);
  Result<Intake> scan_place(DropDirectory::Place place, std::set<std::string>& seen,
                            const std::stop_token& stop);
  Result<Intake> take_announced(const std::stop_token& stop);
  Result<Intake> take(std::vector<Spot> spots, const std::stop_token& stop);
  std::optional<Spot> spot(DropDirectory::Place place, const std::string& name);

  Result<std::optional<Claimed>> take_one(const Spot& spot, Intake& intake);
  std::optional<Claimed> claim(const Spot& spot, Bytes message);
  Result<void> quarantine(const Spot& spot, const Finding& finding, Intake& intake);
  void write_reason(const std::string& name, const std::string& source, const Finding& finding,
                    const JobId& id) const;
  Result<void> set_aside_refused();
  std::optional<std::string> find_done(const JobStatus& job) const;
  Result<Intake> deposit(const std::vector<Claimed>& group);
  void report(const Spot& spot, const std::string& reason, const std::string& hint);
  void purge();

  static constexpr std::string_view kReasonEnding = ".reason.txt";

  const ChannelSettings settings_;
  JobQueue& requests_;
  const Clock& wall_;
  const Clock& steady_;
  DirectoryWatch watch_;
  std::optional<DropDirectory> drop_;
  Settling settling_;
  std::int64_t file_system_now_ = 0;
  Time next_scan_ = Time::min();
  Time next_purge_ = Time::min();
};

}  // namespace cmpost
