// How a channel's way in or out, or a part of the service, does: on record for whoever asks,
// whatever process works it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace cmpost {

enum class Way { in, out };
std::string_view to_string(Way way);

// What works for all channels together.
enum class Part {
  requests,    // takes requests from the queue
  ledger,      // commits what they are answered
  replies,     // takes answers from the queue
  maintenance  // timers, CRLs, what has to be forgotten
};
inline constexpr std::array kParts = {Part::requests, Part::ledger, Part::replies,
                                      Part::maintenance};
std::string_view to_string(Part part);

// That nobody has looked yet is no condition: then there is no record.
enum class WayCondition {
  works,
  rests  // its last try failed, the next one comes by itself
};
std::string_view to_string(WayCondition condition);

// Input that its source names and that cannot be taken.
struct StuckInput {
  std::string what;  // a file, a mail
  std::string why;
  int tries = 0;                      // 0: not counted
  std::optional<Duration> rests_for;  // until it is tried again, if not at each look
  friend bool operator==(const StuckInput&, const StuckInput&) = default;
};
struct StuckSince {
  StuckInput input;
  Time since{};
  std::optional<Time> again;
};

// What a look at a source found beside what it took.
struct LookedAt {
  std::vector<StuckInput> stuck;
  std::size_t without_request = 0;  // left alone for people: mails with no message in them
};

struct WayState {
  WayCondition condition = WayCondition::works;
  Time since{};           // the condition
  Time last_try{};        // a look or a sending; noted when something changes, else now and then
  std::string why, hint;  // rests
  std::optional<Time> until;  // rests: the next try; nullopt: at the next `run`
  int tries = 0;              // failures in a row
  std::size_t stuck = 0;
  std::vector<StuckSince> inputs;  // of these some
  std::size_t without_request = 0;
  std::optional<Time> oldest_without_request;  // when the first of them was seen
};

// The files that hold the records. `directory`: the channel's own state, or that of the instance.
std::string record_of(const std::string& directory, Way way);
std::string record_of(const std::string& directory, Part part);

// nullopt: nobody has ever looked. An Error: what is on record cannot be read, or is of no kind
// that this version knows. Writes nothing.
Result<std::optional<WayState>> read_way(const std::string& record);

// Writes one record. It goes on from what an earlier process has left, so that trouble
// keeps its beginning. Not synced: the next look writes what a loss of power takes away. That it
// cannot be written is logged once. One thread.
class WayRecorder {
 public:
  // `record`: the file; empty: nothing is kept. `wall` must outlive the object.
  WayRecorder(std::string record, const Clock& wall) : record_(std::move(record)), wall_(wall) {}

  // A look or a sending went well.
  void works(const LookedAt& found = {});
  // It did not. `pause`: until the next try, if this process makes one.
  void rests(const Error& trouble, std::optional<Duration> pause);

 private:
  void begin();
  void write();

  const std::string record_;
  const Clock& wall_;
  bool begun_ = false;
  bool known_ = false;  // `state_` is on record
  bool was_written_ = true;
  WayState state_;
};

// All of an instance.
class WayBook {
 public:
  // `directory`: the state of the instance, that of channel x is in directory/x. Empty: nothing is
  // kept.
  WayBook(std::string directory, const Clock& wall)
      : directory_(std::move(directory)), wall_(wall) {}
  // Any thread may ask; the recorder itself belongs to one. It lives as long as the book.
  WayRecorder& of(const std::string& channel, Way way);
  WayRecorder& of(Part part);

 private:
  WayRecorder& at(const std::string& record);

  const std::string directory_;
  const Clock& wall_;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<WayRecorder>> recorders_ GUARDED_BY(mutex_);
};

}  // namespace cmpost
