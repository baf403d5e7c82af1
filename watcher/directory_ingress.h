// Requests that are dropped into a directory.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carrier/hash_list.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/candidate.h"
#include "watcher/directory_watch.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/intake_gate.h"
#include "watcher/left_alone.h"
#include "watcher/listed_files.h"
#include "watcher/marker.h"
#include "watcher/settling.h"

namespace cmpost {

// Takes files from settings.directory()->in:
//   in/x.pki         read, judged, then claimed by renaming it to
//   in/.work/x.pki   and put into the queue with up to 500 others; then renamed to
//   in/.done/x.pki   (or x-1.pki, or x-MARK.pki: nothing is overwritten)
// and what cannot be taken is listed as a held job and renamed to
//   in/.quarantine/x.pki, with in/.quarantine/x.pki.reason.txt
// Files are found by events where the file system has them and, every `poll`, by a scan. When each
// is complete is the channel's `ready` rule: settling.h (rename, stable), marker.h, listed_files.h
// (manifest). Markers go where their file goes. What the channel's limits do not let in stays in
// `in` (intake_gate.h).
// A file whose job the processor holds later, since it is no PKIMessage, follows there at a scan.
// What lies in .work at a scan was left by a crash or by a queue that failed, and is deposited
// then; or it is in the queue and could not be moved to .done. A file in `in` whose job is done is
// a new arrival, so that what is put in again is answered again. Sizes are checked before anything
// is read (max_message, of the file as it lies there).
//
// Names: hidden files, *.tmp *.part *.filepart *.crdownload and ~* are left alone, and so are
// directories that are not named like a request, which a note tells of. Everything else is taken if
// it holds a message, whatever its name; a file that nobody would send by mistake is put into
// quarantine and told so. A file with several hard links is taken when it is settled: servers that
// rename by link and unlink show two for a moment.
class DirectoryIngress final : public Ingress {
 public:
  // All references must outlive the object. `steady` measures intervals (SteadyClock), `wall`
  // dates; by `sure` old files are removed, nullptr: by `wall`.
  DirectoryIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
                   const Clock& steady, const Clock* sure = nullptr);

  // What lies in `in` are copies of what came by a medium, and all of them are there: nobody waits
  // for more. Answers go to this address of the channel (Route::address).
  void take_copies_for(std::string address) {
    return_address_ = std::move(address);
    watches_ = false;
  }

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

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

  // Looking (directory_ingress.cpp).
  Result<void> ensure_open();
  void start_watching();
  void note_events();
  void note_event(const std::string& name, bool complete);
  Result<Intake> scan(const std::stop_token& stop);
  Result<Intake> scan_place(DropDirectory::Place place, std::set<std::string>& seen,
                            const std::stop_token& stop);
  Result<Intake> take_announced(const std::stop_token& stop);
  Result<Intake> take(std::vector<Spot> spots, const std::stop_token& stop);
  std::optional<Spot> spot(DropDirectory::Place place, const std::string& name);
  void purge();

  // Taking (taken_files.cpp).
  Result<std::optional<Claimed>> take_one(const Spot& spot, Intake& intake);
  std::optional<Finding> judge_spot(const Spot& spot, bool& settled);
  std::int64_t time_by(ReadyRule rule) const;
  bool has_stopped_growing(const Spot& spot);
  Result<std::optional<Claimed>> claim(const Spot& spot, Bytes message);
  Result<std::optional<Claimed>> claim_anew(const Spot& spot, Bytes message);
  Result<std::optional<Claimed>> copy_anew(const Spot& spot, Bytes message, const JobId& old);
  bool is_deposited(const Spot& spot);
  void let_go(const std::string& name, const JobId& id);
  Job job_of(const Spot& spot, Bytes message) const;
  void move_markers(const std::string& name, DropDirectory::Place to);
  Result<Intake> deposit(std::vector<Claimed> group);
  void log_arrival(const Job& job) const;
  Result<void> quarantine(const Spot& spot, const Finding& finding, Intake& intake);
  void report(const Spot& spot, const std::string& reason, const std::string& hint);

  // ready = "manifest" (listed_input.cpp).
  Result<Intake> take_lists(const std::stop_token& stop);
  Result<Intake> take_list(const Spot& list);
  // What a list names, as found.
  struct Listed {
    std::vector<Spot> spots;
    std::vector<Bytes> messages;     // of all spots, when none of the following is set
    std::string incomplete;          // why the list has to wait
    std::string not_read;            // the same, since something cannot be read just now
    std::optional<Finding> refused;  // why nothing of it will ever be taken
  };
  Listed read_listed(const Spot& list, const std::vector<ListedFile>& files);
  void read_one_listed(const ListedFile& file, std::size_t index, Listed& listed,
                       std::vector<std::string>& damaged) const;
  Result<Intake> quarantine_list(const Spot& list, const std::vector<Spot>& spots,
                                 const Finding& finding);
  void note_unlisted(std::size_t count);

  // Taking what lists name (taken_lists.cpp).
  Result<Intake> take_listed(const Spot& list, const std::vector<Spot>& spots,
                             std::vector<Bytes> messages);
  Result<void> deposit_list(const std::string& name, std::span<const Job> jobs, Intake& intake);
  bool is_taken_list(const Spot& spot) const;
  Result<std::vector<Job>> jobs_left(const std::vector<ListedFile>& files) const;
  Result<void> resume_list(const Spot& list, Intake& intake);
  void give_back(const Spot& list, const std::string& mark);
  Result<void> finish_list(const Spot& list);
  Result<void> put_listed_away(const ListedFile& file) const;

  // What was taken and is none (refused_input.cpp).
  void write_reason(const std::string& name, const std::string& source, const Finding& finding,
                    const JobId& id) const;
  Result<void> set_aside_refused();
  std::optional<std::string> find_done(const JobStatus& job) const;

  Settling& settling(DropDirectory::Place place) {
    return place == DropDirectory::Place::work ? in_work_ : settling_;
  }

  static constexpr std::string_view kReasonEnding = ".reason.txt";

  const ChannelSettings settings_;
  JobQueue& requests_;
  const Clock& wall_;
  const Clock& sure_;
  const Clock& steady_;
  DirectoryWatch watch_;
  std::optional<DropDirectory> drop_;
  Settling settling_, in_work_;  // files in `in` and in .work, which may have one name
  // Files in .work whose requests are in the queue and that cannot be moved to .done.
  struct Deposited {
    std::array<std::uint8_t, 16> arrival;
    JobId id;
    std::string why;
  };
  std::map<std::string, Deposited> deposited_;
  std::map<std::string, std::string> stuck_lists_;  // in .work, and why
  IntakeGate gate_;
  std::string return_address_;
  bool watches_ = true;
  struct IncompleteList {
    std::vector<Look> looks;  // of its files
    std::string why;
    bool not_read = false;  // looks that are the same may tell more the next time
  };
  std::map<std::string, IncompleteList> incomplete_lists_;
  ChannelNote unlisted_;
  LeftAlone left_alone_;
  std::int64_t file_system_now_ = 0;
  Time next_scan_ = Time::min();
  Time next_purge_ = Time::min();
};

}  // namespace cmpost
