// Which messages have perhaps been sent and are not over yet.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "queue/job_queue.h"

namespace cmpost {

// A file for each in a directory of the channel, so that it is known after a crash. Used by one
// thread; each process has other jobs in hand.
class Unanswered {
 public:
  // `directory`: made with the first message.
  explicit Unanswered(std::string directory) : directory_(std::move(directory)) {}

  // Before it is sent. Durable when it returns OK; again is fine.
  Result<void> add(const JobId& id);
  // It is over, or it has certainly not arrived. Durable, too.
  Result<void> remove(const JobId& id);
  // A person is asked about it, and will look. Durable.
  Result<void> ask(const Lease& lease);

  struct Sign {
    enum class What { none, perhaps_sent, asked };
    What what = What::none;
    int releases = 0;  // asked: how often he had released it by then
    // He has since, so that it may be sent once more. A job that was put anew, or has come back
    // from a backup, nobody has released.
    bool is_released(const Lease& lease) const {
      return what == What::asked && lease.releases > releases;
    }
  };
  // An Error: nobody could find out.
  Result<Sign> find(const JobId& id) const;
  // Removes those that `over` says yes to: jobs that the queue does not have any more.
  Result<void> tidy(const std::function<Result<bool>(const JobId&)>& over);

 private:
  std::string file_of(const JobId& id) const { return directory_ + "/" + id.text(); }

  const std::string directory_;
  bool made_ = false;
};

}  // namespace cmpost
