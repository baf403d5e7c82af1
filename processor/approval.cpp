#include "processor/approval.h"

#include <algorithm>
#include <set>

#include "processor/audit_detail.h"
#include "processor/transaction_table.h"

namespace cmpost {
namespace {

// At least one: somebody has asked for the decision.
int needed(const ProcessorServices& services, const Transaction& transaction) {
  const int least = transaction.body == "krr" ? 2 : 1;  // R-175, whatever has become of the channel
  const auto channel = services.channels.find(transaction.channel);
  if (channel == services.channels.end()) return least;
  return std::max({channel->second.settings.waiting.approvals,
                   channel->second.approvals(transaction.body), least});
}

// Who has agreed to a part so far.
std::set<std::string> approvers(const std::vector<Vote>& verdicts, std::int64_t certReqId) {
  std::set<std::string> names;
  for (const auto& verdict : verdicts) {
    if (verdict.approves && verdict.certReqId == certReqId) names.insert(verdict.who);
  }
  return names;
}

// One verdict in one ledger transaction.
class Deciding {
 public:
  Deciding(LedgerWriter& writer, const Transaction& transaction, int needed_approvals)
      : writer_(writer),
        table_(writer.connection()),
        transaction_(transaction),
        needed_(needed_approvals) {}

  Result<Decided> record(std::optional<std::int64_t> certReqId, Vote verdict) {
    ASSIGN_OR_RETURN(waiting_, table_.find(transaction_.id));
    if (!waiting_) return Decided::nothing_waits;
    ASSIGN_OR_RETURN(verdicts_, table_.verdicts(transaction_.id));
    for (auto& part : waiting_->parts) {
      if (part.state != PartState::undecided) continue;
      if (certReqId && part.certReqId != *certReqId) continue;
      verdict.certReqId = part.certReqId;
      TRY(record_one(part, verdict));
    }
    if (!changed_) return outcome_;
    ++waiting_->version;
    ASSIGN_OR_RETURN(const bool replaced, table_.replace(*waiting_, WaitTable::Parts::changed));
    CHECK(replaced);  // read in the same transaction
    return Decided::done;
  }

  const std::optional<Waiting>& waiting() const { return waiting_; }

 private:
  Result<void> record_one(WaitingPart& part, const Vote& verdict) {
    auto names = approvers(verdicts_, part.certReqId);
    if (verdict.approves && names.contains(verdict.who)) {
      outcome_ = Decided::said_before;
      return {};
    }
    TRY(table_.add(transaction_.id, verdict));
    const auto entry = verdict_entry(transaction_, part, verdict);
    TRY(writer_.audit(entry.event, entry.detail));
    names.insert(verdict.who);
    if (!verdict.approves) {
      part.state = PartState::rejected;
      part.reason = verdict.reason;
    } else if (names.size() >= static_cast<std::size_t>(needed_)) {
      part.state = PartState::approved;
    } else {
      outcome_ = Decided::one_more;
      return {};
    }
    changed_ = true;
    return {};
  }

  LedgerWriter& writer_;
  WaitTable table_;
  const Transaction& transaction_;
  const int needed_;
  std::optional<Waiting> waiting_;
  std::vector<Vote> verdicts_;
  Decided outcome_ = Decided::nothing_waits;
  bool changed_ = false;
};

}  // namespace

std::string_view to_string(Decided decided) {
  switch (decided) {
    case Decided::done:
      return "decided";
    case Decided::one_more:
      return "one more has to agree";
    case Decided::said_before:
      return "the same person has agreed before";
    default:
      return "nothing of it waits for a decision";
  }
}

Result<Decided> decide(Spool& spool, Ledger& ledger, const ProcessorServices& services,
                       const Transaction& transaction, std::optional<std::int64_t> certReqId,
                       Vote verdict) {
  verdict.at = services.clock.now();
  Decided outcome = Decided::nothing_waits;
  std::optional<Waiting> waiting;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    Deciding deciding(writer, transaction, needed(services, transaction));
    ASSIGN_OR_RETURN(outcome, deciding.record(certReqId, std::move(verdict)));
    waiting = deciding.waiting();
    return {};
  }));
  if (outcome != Decided::done) return outcome;
  const auto job = resume_job(transaction.transactionID, *waiting, kVerdictGiven);
  TRY(spool.requests().put({&job, 1}));
  return outcome;
}

}  // namespace cmpost
