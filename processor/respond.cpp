#include "processor/respond.h"

#include "processor/nested.h"
#include "processor/resume.h"

namespace cmpost {
namespace {

Result<Decision> answer_nested(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services, Turn turn) {
  Nested nested(lease, turn, ledger, services);
  nested.open();
  for (std::size_t i = 0; i < nested.size(); ++i) nested.check(i, ledger);
  nested.judge();
  for (std::size_t i = 0; i < nested.size(); ++i) nested.answer(i, ledger);
  auto decision = nested.close(ledger);
  nested.changes()->end();
  return decision;
}

}  // namespace

Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn) {
  if (is_resume_job(lease.job)) return resume(lease, ledger, services);
  if (is_nested(lease.job.payload)) return answer_nested(lease, ledger, services, turn);
  Arrival arrival{.job = lease.job.id, .envelope = lease.job.envelope, .der = lease.job.payload};
  arrival.arrived = lease.arrived;
  arrival.attempts = lease.attempts;
  arrival.turn = turn;
  Responder responder(std::move(arrival), ledger, services);
  TRY(responder.check());
  return responder.answer(ledger);
}

}  // namespace cmpost
