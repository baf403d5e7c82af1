// Requests that lie at an SFTP server.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "sftp/source_files.h"
#include "sftp/taken_ledger.h"
#include "sftp/wire/sftp_sessions.h"
#include "watcher/deposit.h"
#include "watcher/ingress.h"
#include "watcher/left_alone.h"
#include "watcher/reluctant_inputs.h"
#include "watcher/settling.h"

namespace cmpost {

// Looks at the directory settings.sftp()->fetch.path every `poll`: lists it, fetches what is
// complete (SftpReady) over several connections, puts up to 500 requests into the queue at a time,
// and only then lets go of their files at the server (SftpAfter). A file that cannot be a request
// is moved into the quarantine folder, with a file that says why, and listed as a held job. With
// SftpAfter::move a file whose job the processor holds later, since it is no PKIMessage, follows.
//
// A job's id is made from the file's path, its time at the server and what is in it. So a file that
// comes again with the same contents and the same time (`sftp -p`) is the same job.
//
// That holds for what a crash has left, too, so it is not answered again; but what this object has
// let go of and finds again is a new arrival.
//
// A file at which connections break, however often it is asked for alone, is left out after three
// tries: a held job without octets names it, and it is asked for again at long intervals.
//
// At the limits of the channel files are left where they are.
//
// Everything that the server says may be a lie: names are judged before they are used, sizes bound
// what is read, a listing ends after a million names, or after 100 000 files that cannot be taken
// as yet.
class SftpIngress final : public Ingress {
 public:
  // All references must outlive the object. `steady` measures intervals, `wall` dates.
  // `dial` as in SftpSessions.
  SftpIngress(const ChannelSettings& settings, JobQueue& requests, const Clock& wall,
              const Clock& steady, SftpDial dial = {});

  const std::string& channel() const override { return settings_.name; }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

 private:
  // A file that was found.
  struct Found {
    std::string name;
    RemoteLook look;
    bool settled = false;
    std::string marker;  // its marker's name, with ready = "marker"
    std::size_t marker_size = 0;
  };
  // What became of it.
  struct Read {
    enum class What { not_read, take, bad, wait, unreadable, gone };
    What what = What::not_read;
    Bytes message;
    std::optional<Sha256> contents;  // of the file, when it was read
    std::string reason, hint;
    bool may_grow = false;  // bad: more of it may come
  };
  // A request that is durable here and a file that is still there.
  struct Taken {
    Job job;  // without its octets, once they are in the queue
    SourceFile file;
  };

  Result<void> prepare();
  Result<Intake> scan(const std::stop_token& stop);
  Result<void> scan_part(const std::vector<RemoteEntry>& entries, Intake& intake,
                         const std::stop_token& stop);
  std::optional<Found> consider(const RemoteEntry& entry);
  void pair_markers(const std::vector<RemoteEntry>& entries, std::vector<Found>& found) const;
  Result<void> take(std::vector<Found> found, Intake& intake, const std::stop_token& stop);
  Result<void> take_group(const std::vector<Found>& group, Intake& intake,
                          const std::stop_token& stop);
  Result<std::vector<Found>> settle(const std::vector<Found>& group, std::vector<Read> reads,
                                    Intake& intake);
  bool has_stopped_growing(const Found& found);
  Result<void> suspect(const Found& found, const Error& broken);
  Result<void> note_came(const std::string& name);
  Job job_of_unread(const std::string& name) const;
  Result<std::vector<Read>> read(const std::vector<Found>& group, std::optional<Error>& broken);
  Result<void> read_part(SftpDialogue& dialogue, const std::vector<Found>& group, std::size_t begin,
                         std::size_t end, std::vector<Read>& reads) const;
  Result<void> check_markers(SftpDialogue& dialogue, const std::vector<Found>& group,
                             std::size_t begin, std::size_t end, std::vector<Read>& reads) const;
  Read judge(Fetched fetched) const;
  Taken claim(const Found& found, Read read) const;
  JobId job_id_of(const Found& found, ByteView message) const;
  SourceFile source_of(const Found& found, const JobId& id) const;
  Result<void> deposit(std::vector<Taken> taken, Intake& intake);
  Result<void> release(std::vector<Taken> taken);
  Result<void> quarantine(const Found& found, const Read& read, Intake& intake);
  void report(const RemoteEntry& entry, const std::string& reason, const std::string& hint);
  Result<void> report_unreadable(const Found& found, const Read& read);
  Result<void> set_aside_refused();
  Result<bool> set_aside_one(const JobStatus& job, const Error& why);
  Bytes arrival_of(const std::string& name, const RemoteLook& look) const;
  JobId key_of(const std::string& name, const RemoteLook& look) const;

  const ChannelSettings settings_;
  const Clock& wall_;
  const Clock& steady_;
  SftpSessions sessions_;
  Deposit deposit_;
  Settling settling_;
  LeftAlone left_alone_;
  std::optional<TakenLedger> ledger_;  // SftpAfter::leave_alone
  // In the queue, but still to be let go of: the server did not let us.
  std::map<std::string, Taken> unreleased_;
  std::optional<Error> trouble_;   // of the last attempt to let go
  std::set<std::string> present_;  // during a scan: names that settling_ must not forget
  std::set<JobId> present_keys_;   // the same for ledger_
  std::set<JobId> let_go_;         // arrivals that this object has let go of
  ReluctantInputs reluctant_;      // by name: what breaks connections
  int broken_in_a_row_ = 0;        // single files, while nothing came
  std::set<JobId> refused_;        // held jobs whose files have been looked after
  bool folders_made_ = false;
  Time next_scan_ = Time::min();
};

}  // namespace cmpost
