// ready = "manifest": a list of which all is there.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "carrier/hash_list.h"
#include "watcher/drop_input.h"

namespace cmpost {

// The list goes to .work, durably, which says that it is being taken,
// all requests are put into the queue in one commit,
// the files go to .done, and then the list.
// Wherever that ends early, the next scan goes on from the list in .work, and puts into the queue
// what of it is not there yet. Where files cannot be moved, what was put is noted beside the list,
// durably, since the queue forgets what is done (deposited_sign.h). When files of it have gone and
// none is known, the list goes back to `in` to wait for them. What lies in `in` with its list, on
// the other hand, was put there to be answered, once more if need be.
class TakenLists {
 public:
  // `input` must outlive the object.
  explicit TakenLists(DropInput& input) : input_(input) {}

  // `messages`: of `spots`, which are all that the list names.
  Result<Intake> take(const Spot& list, const std::vector<Spot>& spots,
                      std::vector<Bytes> messages);
  // A list in .work.
  Result<void> resume(const Spot& list, Intake& intake);

 private:
  Result<void> deposit(const std::string& name, std::span<const Job> jobs, Intake& intake);
  Result<std::vector<Job>> jobs_left(const std::vector<ListedFile>& files) const;
  void give_back(const Spot& list, const JobId& arrival);
  // `jobs`: of its files that lie in `in`.
  Result<void> finish(const Spot& list, std::span<const Job> jobs);
  Result<void> put_listed_away(const ListedFile& file) const;
  JobId arrival_of_list(const Spot& list, ByteView text) const;

  DropInput& input_;
};

}  // namespace cmpost
