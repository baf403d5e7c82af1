// Which requests are worked on next.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "processor/commit.h"
#include "queue/spool.h"

namespace cmpost {

// Takes them from the queue, and keeps what is leased and not worked on yet. One thread.
class GroupSource {
 public:
  // `services` outlive the object. `most`: that are taken at a time.
  GroupSource(Spool& spool, const ProcessorServices& services, std::size_t most)
      : spool_(spool), services_(services), most_(most) {}

  // What was taken ahead, else what has come back, else what waits in the queue. Empty: nothing.
  Result<std::vector<Lease>> next();
  // The next group, while one is worked on.
  void look_ahead();
  // With whose turn it is, and what it has lost to before.
  Group begin(std::vector<Lease> leases);

  void add_redo(std::vector<Redo> redo);
  // Those that came too early.
  void add_early(std::vector<Lease> early);
  bool has_returned() const { return !redo_.empty() || !again_.empty(); }

  // Until there may be more, for a moment.
  void wait(const std::stop_token& stop);
  // All that is leased: nobody will work on it.
  std::vector<JobId> give_up();

 private:
  Result<std::vector<Lease>> find();
  Result<std::vector<Lease>> take();
  std::vector<Lease> take_redo();
  bool is_before_the_ca();

  Spool& spool_;
  const ProcessorServices& services_;
  const std::size_t most_;
  bool told_before_ = false;
  std::vector<Redo> redo_;
  std::vector<Lease> suspects_;
  std::vector<Lease> again_;                         // came too early the first time
  std::set<JobId> seen_;                             // those of them that are not worked on yet
  std::map<JobId, Contest> contests_;                // of leases that are to be worked on again
  std::optional<Result<std::vector<Lease>>> ahead_;  // leased, the next to be worked on
};

}  // namespace cmpost
