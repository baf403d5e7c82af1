// Telling a file that is complete from one that is still being written.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "carrier/way_state.h"

namespace cmpost {

// A directory entry as it looked, without opening it.
struct Look {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_nanos = 0;
  std::int64_t ctime_nanos = 0;
  std::uint64_t links = 1;
  unsigned type = 0;  // the S_IFMT bits of the mode
  friend bool operator==(const Look&, const Look&) = default;
};

enum class Readiness {
  unsettled,  // may be half written: look again
  announced,  // an event said that it was renamed here or closed by its writer
  settled     // and nothing has changed for the settle time
};

// A sender should write under a hidden name and rename. Not all do, and a file must never be taken
// half written. So a good file is taken when it is announced or settled; a file that looks bad
// (empty, cut off, of no known kind) may still grow into a good one and is judged only when it is
// settled. Settled is a file that
//   - has looked the same in two looks that lie `settle` apart by a clock that cannot be set: a
//     writer that pauses for longer than that cannot be told from one that has ended, or
//   - has a ctime that lies `settle` before `file_system_now`, a time stamp that the same file
//     system has just made: so that what lay there before this process began need not wait. By
//     ctime and not by mtime, since senders set that (`rsync -t`, `cp -p`) and nobody sets ctime.
//     By the file system's clock, since clocks of two machines, or of one before and after it was
//     set, do not fit together. The caller passes 0 where that does not count: on network file
//     systems, which show old attributes for a while, and where the channel wants to see that
//     nothing changes.
// An announced file is not thereby settled, since renaming and closing say that the writer thinks
// it is complete, not that what it wrote is: one that looks bad may be written again at once.
class Settling {
 public:
  explicit Settling(Duration settle) : settle_(settle) {}

  void announce(const std::string& name) {
    auto& sighting = sightings_[name];
    sighting.announced = sighting.news = true;
  }
  // An event: there is such a file, and nothing says that it is complete.
  void notice(const std::string& name) { sightings_.try_emplace(name); }
  bool knows(const std::string& name) const { return sightings_.contains(name); }

  Readiness look_at(const std::string& name, const Look& look, Time steady_now,
                    std::int64_t file_system_now);

  // The same of a file that shows that more belongs to it: whoever writes it may be waiting for a
  // network, so it gets ten times as long before it has settled.
  Readiness wait_for_more(const std::string& name, const Look& look, Time steady_now,
                          std::int64_t file_system_now);

  // Why nobody can take the file. True once for each file, until it changes: each look finds the
  // same again, and a log that repeats it buries what is new. The last reason is the one on record.
  // One that cannot even be looked at is stuck.
  bool first_report(const std::string& name, const std::string& why);

  // It is there and cannot be looked at: nothing is waited for, it is reported.
  void cannot_look_at(const std::string& name);

  // The file was taken or is gone.
  void forget(const std::string& name) { sightings_.erase(name); }
  // Forgets all files but these.
  void keep_only(const std::set<std::string>& names);

  // Files that may still be being written, and files that nobody could take, by now: what can be
  // taken is forgotten when it is, so that whatever has settled and is still known is stuck.
  std::size_t unsettled() const;
  std::size_t stuck() const;
  // Those of them that were reported, by name.
  std::vector<StuckInput> stuck_inputs() const;

  // Files to look at before the next scan: announced ones, and those that may have settled by now.
  std::vector<std::string> worth_a_look(Time steady_now) const;
  // When worth_a_look() will have more to say; Time::max() when it will not.
  Time next_look() const;

 private:
  struct Sighting {
    std::optional<Look> look;
    Time since{};      // looks like this
    bool news = true;  // something was heard since the last look, as of a file not yet looked at
    bool announced = false, settled = false, cut_off = false;
    std::string why{};  // not empty: reported
  };

  Duration settle_of(const Sighting& sighting) const;

  Duration settle_;
  std::map<std::string, Sighting> sightings_;
};

}  // namespace cmpost
