// When to leave input where it is.
#pragma once

#include <string>

#include "carrier/channel_notes.h"
#include "config/channel_settings.h"
#include "queue/job_queue.h"

namespace cmpost {

// Holds an Ingress to the limits of its channel: room on the disk, requests a second, requests that
// are not yet answered. Tells the operator once when input has to wait and once when it goes on, in
// the log and in a note for `cmpost status`; what an earlier process has noted of the channel is
// gone with the first question. A disk whose room cannot be seen stops nothing and is told the same
// way. Used by one thread.
class IntakeGate {
 public:
  // All references must outlive the object. `steady` measures intervals.
  IntakeGate(const ChannelSettings& settings, JobQueue& requests, const Clock& steady);

  // How many requests may be taken now; 0: none, until opens(). An Error is the queue's.
  Result<std::size_t> allowance();
  // So many of them were taken.
  void took(std::size_t count);

  bool closed() const { return closed_; }
  // Closed, and only somebody else can open it: a disk has no room. Else it opens by itself.
  bool needs_help() const { return closed_ && needs_help_; }
  // When to ask again, by the steady clock. Time::min() when open.
  Time opens() const { return opens_; }

 private:
  std::string full_disk();
  void note_unseen(const std::string& why);
  Result<std::size_t> room_for_pending();
  std::size_t room_for_rate();
  std::size_t close(const std::string& why, Duration again, bool needs_help);
  std::size_t open(std::size_t allowance);

  const std::string channel_;
  const std::string state_;
  const IntakeLimits limits_;
  JobQueue& requests_;
  const Clock& steady_;
  ChannelNote note_, unseen_;
  bool closed_ = false, needs_help_ = false;
  bool told_ = false;  // the operator knows that input waits
  bool asked_ = false;
  Time opens_ = Time::min(), last_closed_ = Time::min();
  std::size_t pending_ = 0;  // as counted, and taken since
  Time counted_ = Time::min();
  double tokens_ = 0;  // requests that the rate allows; below zero after a list
  Time filled_ = Time::min();
};

}  // namespace cmpost
