// What was taken as a request and turned out to be none: from .done to .quarantine.
#pragma once

#include <optional>
#include <string>

#include "watcher/drop_input.h"

namespace cmpost {

// Where the processor holds a job, since it is no PKIMessage, its file goes where operators look.
class RefusedInput {
 public:
  // `input` must outlive the object.
  explicit RefusedInput(DropInput& input) : input_(input) {}

  // All that were not yet; what cannot be moved is tried again by the next call.
  Result<void> set_aside();

 private:
  Result<bool> set_aside(const JobStatus& job, const Error& why) const;
  std::optional<std::string> find_done(const JobStatus& job) const;

  DropInput& input_;
};

}  // namespace cmpost
