// What lies in an input directory, for those who take it from there.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/channel_settings.h"
#include "queue/job_queue.h"
#include "watcher/candidate.h"
#include "watcher/deposit.h"
#include "watcher/drop_directory.h"
#include "watcher/ingress.h"
#include "watcher/left_alone.h"
#include "watcher/settling.h"

namespace cmpost {

// A file that was found and how it looked.
struct Spot {
  DropDirectory::Place place;
  std::string name;
  Look look;
};

// What the files are, where they are no CMP messages. Both get the name of the file as it lies
// there and must not mind what a second file of that name has in it (marked_name()).
struct FileForm {
  ReadFile read = read_message;
  // Adds what is known of the job beside its octets.
  std::function<void(const std::string& name, Job& job)> mark = [](const std::string&, Job&) {};
};

// What the parts of a DirectoryIngress share: the directory, what is known of its files, the way
// into the queue and the one into quarantine. One thread.
struct DropInput {
  // All references must outlive the object.
  DropInput(const ChannelSettings& channel_settings, JobQueue& requests, const Clock& wall_clock,
            const Clock& steady_clock);

  DropInput(const DropInput&) = delete;  // its parts know where it is

  const std::string& channel() const { return settings.name; }
  Settling& settling(DropDirectory::Place place) {
    return place == DropDirectory::Place::work ? in_work : in;
  }
  // A list that is being taken (taken_lists.h).
  bool is_taken_list(const Spot& spot) const;

  // nullopt: it is not looked at, or nobody can say how it looks, which is told.
  std::optional<Spot> spot(DropDirectory::Place place, const std::string& name);
  // Empty: of one that is put aside.
  Job job_of(const Spot& spot, Bytes message) const;
  // The markers of a file of `in` that was moved go after it.
  void move_markers(const std::string& name, DropDirectory::Place to);
  // Lists it as a held job, durably, and moves it with the reason beside it.
  Result<void> quarantine(const Spot& spot, const Finding& finding, Intake& intake);
  void write_reason(const std::string& name, const std::string& source, const Error& why,
                    const JobId& id) const;
  // Tells once that nobody can take it.
  void report(const Spot& spot, const std::string& reason, const std::string& hint);

  // Of the file with the reason, beside what lies in quarantine.
  static constexpr std::string_view kReasonEnding = ".reason.txt";

  const ChannelSettings settings;
  const Clock& wall;
  const Clock& steady;
  Deposit deposit;
  std::optional<DropDirectory> drop;  // none: not open
  Settling in, in_work;               // files in `in` and in .work, which may have one name
  std::map<std::string, std::string> stuck_lists;  // in .work, and why
  LeftAlone left_alone;
  std::int64_t file_system_now = 0;  // DropDirectory::file_system_now(), of this look
  std::string return_address;        // Route::address of the answers
  FileForm form;
};

}  // namespace cmpost
