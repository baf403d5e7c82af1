#include "processor/respond.h"

#include "processor/responder.h"
#include "processor/resume.h"

namespace cmpost {

Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn) {
  if (is_resume_job(lease.job)) return resume(lease, ledger, services);
  Arrival arrival{.job = lease.job.id, .envelope = lease.job.envelope, .der = lease.job.payload};
  arrival.arrived = lease.arrived;
  arrival.attempts = lease.attempts;
  arrival.turn = turn;
  Responder responder(std::move(arrival), services);
  responder.read();
  TRY(responder.check(ledger));
  return responder.answer(ledger);
}

}  // namespace cmpost
