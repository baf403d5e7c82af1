// A group of decisions made durable.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "ca/ledger.h"
#include "processor/handover.h"
#include "processor/member_stream.h"
#include "processor/respond.h"
#include "queue/spool.h"

namespace cmpost {

struct WorkedOn {
  Lease lease;
  Turn turn = Turn::first;
  Result<Decision> decision = hold("not worked on");
  // Of a nested message, whose members may still be answered: until it has ended `decision` is not
  // to be touched.
  std::shared_ptr<MemberStream> members;
};
using Group = std::vector<WorkedOn>;

struct Committed {
  std::vector<Lease> redo;   // planned on what another request has changed meanwhile
  std::vector<Lease> early;  // to be looked at again when what came before them is done
  std::size_t answered = 0, refused = 0, silent = 0, held = 0, deferred = 0;
  bool changes_crl = false;
};

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
  Result<std::vector<bool>> write_ledger(const Group& group, Handover& handover);
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
