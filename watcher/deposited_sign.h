// That a list whose files cannot be moved was deposited: for longer than the queue knows it.
#pragma once

#include <set>
#include <string>

#include "queue/job.h"
#include "watcher/drop_directory.h"

namespace cmpost {

// A file .work/.deposited-LIST with the ids of the jobs that were put into the queue. `list`: the
// arrival of the list in .work, so that one of another list of that name tells nothing of it.
class DepositedSign {
 public:
  DepositedSign(const DropDirectory& drop, const JobId& list);

  // Empty where there is none. An Error: nobody can say.
  Result<std::set<JobId>> read() const;
  // Durably, in place of what it had.
  Result<void> write(const std::set<JobId>& jobs) const;
  // The files have left `in`. What stays of it is never read again.
  void remove() const;

 private:
  const DropDirectory& drop_;
  const std::string name_;
};

}  // namespace cmpost
