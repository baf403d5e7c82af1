// A group of decisions made durable.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "ca/ledger/ledger.h"
#include "processor/dialogue/respond.h"
#include "processor/handover.h"
#include "processor/transaction/conflict.h"
#include "processor/transaction/member_stream.h"
#include "queue/spool.h"

namespace cmpost {

struct WorkedOn {
  Lease lease;
  Turn turn = Turn::first;
  // Where it says so the decision is made inside the commit, and none is there before.
  Contest contest;
  Result<Decision> decision = hold("not worked on");
  // Of a nested message, whose members may still be answered: until it has ended `decision` is not
  // to be touched.
  std::shared_ptr<MemberStream> members;
};
using Group = std::vector<WorkedOn>;

// What is to be worked on again, because it was planned on what another request has changed.
struct Redo {
  Lease lease;
  Contest contest;
};

struct Committed {
  std::vector<Redo> redo;
  std::vector<Lease> early;  // to be looked at again when what came before them is done
  std::size_t more = 0;      // jobs that have come of it
  std::size_t answered = 0, refused = 0, silent = 0, held = 0, deferred = 0, contested = 0;
  bool changes_crl = false;
};

// What becomes of one of a group when its effects are applied.
struct Fate {
  bool applied = true;
  std::optional<Conflict> conflict{};  // what it has lost to, else it has not come to its end
  std::vector<std::size_t> lost{};     // members of a batch that have
};
using Fates = std::vector<Fate>;

// First the ledger, then the spool; see Processor. An Error means that nothing more may be assumed
// than that calling again with the same group is right.
class GroupCommit {
 public:
  GroupCommit(Spool& spool, Ledger& ledger, const ProcessorServices& services,
              std::function<void()> after_revocation)
      : spool_(spool),
        ledger_(ledger),
        services_(services),
        after_revocation_(std::move(after_revocation)) {}

  // Waits for the batches in it that are still worked on, in any case to their end. On OK the group
  // is spent, and empty.
  Result<Committed> commit(Group& group);

 private:
  Result<Fates> write_ledger(Group& group, Handover& handover);
  Result<std::size_t> put_more(const Group& group, const Fates& fates);
  Result<void> settle_contested(WorkedOn& item, Fate& fate, Committed& committed);
  std::future<void> tidy_ledger();
  void tidy_spool();
  Result<void> settle_early(const WorkedOn& item, const Decision::Early& early,
                            Committed& committed);
  Result<void> settle_failed(const WorkedOn& item, Committed& committed);

  Spool& spool_;
  Ledger& ledger_;
  const ProcessorServices& services_;
  std::function<void()> after_revocation_;
};

}  // namespace cmpost
