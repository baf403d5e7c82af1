// Files that are taken one by one: from a file that was found to a job, or to the quarantine.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "watcher/drop_input.h"

namespace cmpost {

// Judges a file, claims it by a rename into .work, and lets go of it when it is in the queue. What
// cannot be moved to .done then is remembered, so that it is not read again. One thread.
class FileInput {
 public:
  // A file in .work and its job.
  struct Claimed {
    std::string name;
    Job job;
  };

  // `input` must outlive the object.
  explicit FileInput(DropInput& input) : input_(input) {}

  // nullopt: it was put aside, or is not to be taken now.
  Result<std::optional<Claimed>> take(const Spot& spot, Intake& intake);
  // Into the queue in one commit, and then to .done.
  Result<void> deposit(std::vector<Claimed> group, Intake& intake);

  // Of what is in the queue and lies in .work.
  std::size_t stuck() const;
  void add_stuck(LookedAt& found) const;
  void forget_gone();
  void forget() { deposited_.clear(); }

 private:
  struct Deposited {
    std::array<std::uint8_t, 16> arrival;
    JobId id;
    std::string why;
  };

  std::optional<Finding> judge_spot(const Spot& spot, bool& settled);
  std::int64_t time_by(ReadyRule rule) const;
  bool has_stopped_growing(const Spot& spot);
  Result<std::optional<Claimed>> claim(const Spot& spot, Bytes message);
  Result<std::optional<Claimed>> claim_anew(const Spot& spot, Bytes message);
  Result<std::optional<Claimed>> copy_anew(const Spot& spot, Bytes message, const JobId& old);
  bool is_deposited(const Spot& spot);
  void let_go(const std::string& name, const JobId& id);

  DropInput& input_;
  std::map<std::string, Deposited> deposited_;  // by name
};

}  // namespace cmpost
