// The spool database: requests and replies together, so that one commit can end the one and start
// the other.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/job_queue.h"
#include "store/connection.h"

namespace cmpost {

class Spool {
 public:
  virtual ~Spool() = default;
  virtual JobQueue& requests() = 0;
  virtual JobQueue& replies() = 0;

  // One commit: puts `replies` (an id that is known changes nothing) and finishes the requests
  // `answered`. The replies are borrowed for the call; some have many megabytes.
  struct Exchange {
    std::vector<JobId> answered;
    std::vector<const Job*> replies;
    std::deque<Job> more{};  // owns those replies that nobody else does
  };
  // `may_commit` is asked once, when all is written but the commit; false: nothing has changed. As
  // long as it takes nobody else can write to the spool, so it must not wait for one who does.
  virtual Result<void> exchange(const Exchange& exchange,
                                const std::function<bool()>& may_commit) = 0;
  Result<void> exchange(const Exchange& both) {
    return exchange(both, [] { return true; });
  }

  // See Connection; for who has time. Nobody else is stopped by it.
  virtual std::int64_t log_size() = 0;
  virtual Result<void> check_place() const = 0;
  virtual Result<bool> checkpoint() = 0;
};

// Which channels a process works on: what is of others it leaves in the queue, waiting. Nothing
// else of a queue is limited by it: whoever lists or counts sees all.
struct ChannelScope {
  enum class Which { all, only, but };
  Which which = Which::all;
  std::vector<std::string> channels{};
  bool has(std::string_view channel) const {
    const bool named = std::ranges::find(channels, channel) != channels.end();
    return which == Which::all || named == (which == Which::only);
  }
};

struct SpoolSettings {
  std::string url = "sqlite:spool.db";
  std::string base_directory;
  Duration lease = std::chrono::minutes(10);
  OpenMode mode = OpenMode::create;
  // Of requests by the channel that they came in on, of replies by that which they go out by.
  ChannelScope scope{};
};
// `steady` is one that nobody can set and that all processes on the host share (BootClock): leases
// count by it. When `wall` is set back, what is deferred is due at once, since it would otherwise
// wait for as long again. Both must outlive the spool.
struct SpoolClocks {
  const Clock& wall;
  const Clock& steady;
};
// Opens and migrates, and with OpenMode::create makes it. With OpenMode::read_only nothing is
// written: only what lists and counts may be called.
Result<std::unique_ptr<Spool>> open_spool(const SpoolSettings& settings, const SpoolClocks& clocks);
// For whoever has one clock that nobody sets, as a test.
inline Result<std::unique_ptr<Spool>> open_spool(const SpoolSettings& settings,
                                                 const Clock& clock) {
  return open_spool(settings, SpoolClocks{clock, clock});
}

}  // namespace cmpost
