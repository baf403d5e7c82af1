#include "processor/dialogue/respond.h"

#include "processor/dialogue/nested.h"
#include "processor/dialogue/resume.h"
#include "processor/relay/order_relay.h"
#include "processor/relay/relay.h"
#include "processor/transaction/audit_detail.h"
#include "queue/order_job.h"

namespace cmpost {
namespace {

bool comes_from_above(const Lease& lease, const ProcessorServices& services) {
  const auto found = services.channels.find(lease.job.envelope.channel);
  return found != services.channels.end() &&
         found->second.settings.direction == Direction::upstream;
}

// News is so whatever has become of the channel that it was ordered by.
bool is_about_order(const Lease& lease, const ProcessorServices& services) {
  if (order_news(lease.job.envelope.body)) return true;
  const auto found = services.channels.find(lease.job.envelope.channel);
  return found != services.channels.end() && found->second.settings.orders() != nullptr;
}

constexpr auto kUntilRenewed = std::chrono::minutes(10);

// Whether it has to wait until we have a certificate again (Role::is_over).
Result<bool> waits_for_us(const Lease& lease, LedgerReader& ledger,
                          const ProcessorServices& services) {
  if (!services.role.is_over(services.sure.now())) return false;
  if (is_upstream_job(lease.job)) {
    const auto row = upstream_row(lease.job);
    ASSIGN_OR_RETURN(const auto asked, UpstreamTable(ledger.connection()).find(row.value_or(0)));
    return !asked || asked->renewal == 0;
  }
  if (!comes_from_above(lease, services) || order_news(lease.job.envelope.body)) return true;
  ASSIGN_OR_RETURN(const bool ours, is_about_us(lease, ledger, services));
  return !ours;
}

Decision wait_for_us(const Lease& lease, const ProcessorServices& services) {
  Decision decision;
  decision.job = lease.job.id;
  decision.tid = lease.job.envelope.tid;
  decision.outcome = "waits until the certificate of this RA is renewed, which has ended";
  decision.what = Decision::Early{services.likely.now() + kUntilRenewed, decision.outcome};
  return decision;
}

Responder responder_for(const Lease& lease, const ProcessorServices& services, Turn turn) {
  Arrival arrival{.job = lease.job.id, .envelope = lease.job.envelope, .der = lease.job.payload};
  arrival.arrived = lease.arrived;
  arrival.attempts = lease.attempts;
  arrival.turn = turn;
  return Responder(std::move(arrival), services);
}

Result<Decision> respond_to_nested(const Lease& lease, LedgerReader& ledger,
                                   const ProcessorServices& services, Turn turn) {
  Nested nested(lease, turn, services);
  nested.open();
  for (std::size_t part = 0; part < nested.parts(); ++part) nested.check(part, ledger);
  nested.judge();
  for (std::size_t member = 0; member < nested.size(); ++member) nested.answer(member, ledger);
  return nested.close(ledger);
}

}  // namespace

bool is_batch(const Lease& lease, const ProcessorServices& services) {
  const bool message = !is_resume_job(lease.job) && !is_upstream_job(lease.job) &&
                       !services.role.is_over(services.sure.now());
  return message && !comes_from_above(lease, services) && is_nested(lease.job.payload);
}

Result<Decision> respond(const Lease& lease, LedgerReader& ledger,
                         const ProcessorServices& services, Turn turn) {
  ASSIGN_OR_RETURN(const bool waits, waits_for_us(lease, ledger, services));
  if (waits) return wait_for_us(lease, services);
  if (is_resume_job(lease.job)) return resume(lease, ledger, services);
  if (is_upstream_job(lease.job)) return tend_above(lease, ledger, services);
  if (is_about_order(lease, services)) return hear_order(lease, ledger, services);
  if (comes_from_above(lease, services)) return hear_above(lease, ledger, services);
  auto responder = responder_for(lease, services, turn);
  responder.read();
  TRY(responder.check(ledger));
  return responder.answer(ledger);
}

Result<Decision> respond_alone(const Lease& lease, LedgerReader& ledger,
                               const ProcessorServices& services, Turn turn) {
  const bool nested = is_batch(lease, services);
  return nested ? respond_to_nested(lease, ledger, services, turn)
                : respond(lease, ledger, services, turn);
}

Result<Decision> refuse_for(const Conflict& conflict, const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  Decision decision;
  if (is_resume_job(lease.job) || is_upstream_job(lease.job) || comes_from_above(lease, services)) {
    decision.job = lease.job.id;
    decision.tid = lease.job.envelope.tid;
    decision.outcome = "it excludes itself: " + to_string(conflict);
    decision.what = Decision::Hold{decision.outcome};
  } else {
    auto responder = responder_for(lease, services, Turn::again);
    responder.read();
    TRY(responder.check(ledger));
    responder.refuse_with(rejection_for(conflict));
    ASSIGN_OR_RETURN(decision, responder.answer(ledger));
  }
  decision.effects.audit.push_back(contested_entry(lease.job, conflict));
  return decision;
}

}  // namespace cmpost
