// Starts the runs of the settings at their times, inside `serve`.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "base/clock.h"

namespace cmpost {

// When a run is to be started next, from what is on record of it: the newest of its times that is
// over and has not been kept, so that of several missed ones one is made up. nullopt: not yet.
// `last`: the time of the run before it, as planned, or else as started; or since when the settings
// have it, as far as somebody has looked.
std::optional<Time> due_time(const CronTime& at, Time last, Time now);

// One process a run, which is this program: what becomes of it harms nobody else, and it ends by
// itself. One at a time. What was killed is gone on with; what was stopped by its rules waits for
// people. One thread.
class RunSchedule {
 public:
  // `instance` outlives it. `config`: the settings file.
  RunSchedule(Instance& instance, std::string config, const Clock& steady);
  // Asks the run that is under way to end, and waits until it has: nothing of it is lost.
  ~RunSchedule();
  RunSchedule(const RunSchedule&) = delete;
  RunSchedule& operator=(const RunSchedule&) = delete;

  // Now and then, at least once a minute.
  void look();

 private:
  struct Entry {
    const RunSettings* settings = nullptr;
    Time not_before = Time::min();  // by the steady clock, after a failure
    Duration rest{};
    bool told_stopped = false;
  };

  void collect();
  Result<void> note_names();
  Result<std::optional<Time>> when(Entry& entry);
  Result<void> start(Entry& entry, Time planned);
  void rest(Entry& entry, const std::string& why);

  Instance& instance_;
  const std::string config_;
  const Clock& steady_;
  std::vector<Entry> entries_;
  pid_t child_ = 0;
  bool noted_ = false, ending_ = false;
  Entry* running_ = nullptr;
};

}  // namespace cmpost
