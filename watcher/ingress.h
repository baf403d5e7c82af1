// Where requests come from.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "carrier/way_state.h"

namespace cmpost {

// What one look at a source did.
struct Intake {
  std::size_t deposited = 0;    // durable in the queue and let go at the source, known ones too
  std::size_t known = 0;        // of these: had come before, nothing was added
  std::size_t quarantined = 0;  // put aside with a reason
  std::size_t settling = 0;     // seen and perhaps still being written: look again
  std::size_t stuck = 0;        // cannot be taken until somebody helps; reported in the log
  bool paused = false;  // more is there, and the channel's limits leave it there for a moment

  Intake& operator+=(const Intake& other);
};

// One channel's source. It finds input, bounds its size, unwraps it and puts it into a JobQueue;
// only when put() has returned does it acknowledge at the source, so input may come twice but is
// never lost. An arrival has the same job id each time it is seen. Bad input is put aside and
// listed as a held job; it never stops the input beside it. Used by one thread; several objects and
// processes may look at one source.
class Ingress {
 public:
  virtual ~Ingress() = default;

  virtual const std::string& channel() const = 0;

  // Looks once and takes in all that is ready; ends early when a stop is requested. An Error means
  // that the source or the queue cannot be used now; what has been claimed stays claimed and is
  // deposited by a later call.
  virtual Result<Intake> poll(const std::stop_token& stop) = 0;

  // Blocks until poll() may have something to do, at most for `time_out`, or until a stop is
  // requested.
  virtual void wait(Duration time_out, const std::stop_token& stop) = 0;

  // What the last poll() has left where it is. For the record of the channel.
  virtual LookedAt looked_at() const { return {}; }
};

// Takes in all that waits, also what is still settling, as a batch run does. Input that keeps
// coming is taken too; ends with the first look that leaves nothing to take.
Result<Intake> take_all(Ingress& ingress, const std::stop_token& stop);

}  // namespace cmpost
