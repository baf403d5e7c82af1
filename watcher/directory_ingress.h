// Requests that are dropped into a directory.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "watcher/directory_watch.h"
#include "watcher/drop_input.h"
#include "watcher/file_input.h"
#include "watcher/ingress.h"
#include "watcher/listed_input.h"
#include "watcher/refused_input.h"
#include "watcher/taken_lists.h"

namespace cmpost {

// Takes files from settings.directory()->in:
//   in/x.pki         read, judged, then claimed by renaming it to
//   in/.work/x.pki   and put into the queue with up to 500 others; then renamed to
//   in/.done/x.pki   (or x-1.pki, or x-MARK.pki: nothing is overwritten)
// and what cannot be taken is listed as a held job and renamed to
//   in/.quarantine/x.pki, with in/.quarantine/x.pki.reason.txt
// Files are found by events where the file system has them and, every `poll`, by a scan. When each
// is complete is the channel's `ready` rule: settling.h (rename, stable), marker.h, listed_input.h
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
    input_.return_address = std::move(address);
    watches_ = false;
  }

  // Before the first look.
  void take_as(FileForm form) { input_.form = std::move(form); }

  const std::string& channel() const override { return input_.channel(); }
  Result<Intake> poll(const std::stop_token& stop) override;
  void wait(Duration time_out, const std::stop_token& stop) override;
  LookedAt looked_at() const override;

 private:
  Result<void> ensure_open();
  void start_watching();
  void note_events();
  void note_event(const std::string& name, bool complete);
  Result<Intake> scan(const std::stop_token& stop);
  Result<Intake> scan_place(DropDirectory::Place place, std::set<std::string>& seen,
                            const std::stop_token& stop);
  Result<Intake> take_announced(const std::stop_token& stop);
  Result<Intake> take(std::vector<Spot> spots, const std::stop_token& stop);
  void purge();

  DropInput input_;
  FileInput files_{input_};
  TakenLists taken_lists_{input_};
  ListedInput lists_{input_, taken_lists_};
  RefusedInput refused_{input_};
  const Clock& sure_;
  DirectoryWatch watch_;
  bool watches_ = true;
  Time next_scan_ = Time::min();
  Time next_purge_ = Time::min();
};

}  // namespace cmpost
