#include "processor/approval.h"

#include <algorithm>
#include <set>

#include "asn1/name.h"
#include "processor/rights/channel_policy.h"
#include "processor/transaction/audit_detail.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

// At least one: somebody has asked for the decision.
int needed(const ChannelSettings* channel, const Transaction& transaction) {
  // R-175, whatever has become of the channel.
  const int least = std::max(ChannelPolicy::least_approvals(transaction.body), 1);
  if (channel == nullptr) return least;
  return std::max({channel->waiting.approvals, approvals(*channel, transaction.body), least});
}

// What tells people apart.
std::string person_of(const Vote& verdict, bool by_account) {
  return by_account ? verdict.account : folded_value(verdict.who);
}

bool is_about(const Vote& verdict, const WaitingPart& part) {
  const auto digest = part.digest();
  return verdict.certReqId == part.certReqId && verdict.round == part.round && digest &&
         equal(verdict.object, *digest);
}

// Who has agreed so far to what a part is about now.
std::set<std::string> approvers(const std::vector<Vote>& verdicts, const WaitingPart& part,
                                bool by_account) {
  std::set<std::string> names;
  for (const auto& verdict : verdicts) {
    // Of an account that was not kept nobody knows whose it was.
    if (by_account && verdict.account.empty()) continue;
    if (verdict.approves && is_about(verdict, part)) names.insert(person_of(verdict, by_account));
  }
  return names;
}

// One verdict in one ledger transaction.
class Deciding {
 public:
  Deciding(LedgerWriter& writer, const Transaction& transaction, const ChannelSettings* channel)
      : writer_(writer),
        table_(writer.connection()),
        transaction_(transaction),
        needed_(needed(channel, transaction)),
        by_account_(channel != nullptr && channel->waiting.approve_accounts) {}

  Result<Ruling> record(const Choice& choice, Vote verdict) {
    ASSIGN_OR_RETURN(waiting_, table_.find(transaction_.id));
    if (!waiting_) return Ruling{};
    ASSIGN_OR_RETURN(verdicts_, table_.verdicts(transaction_.id));
    for (auto& part : waiting_->parts) {
      if (choice.certReqId && part.certReqId != *choice.certReqId) continue;
      const bool unlisted = part.state == PartState::unlisted;
      if (unlisted && verdict.approves && outcome_ == Decided::nothing_waits) {
        outcome_ = Decided::unlisted;
      }
      if (!may_be_decided(part, verdict)) continue;
      if (choice.object && part.digest() != choice.object) {
        if (outcome_ == Decided::nothing_waits) outcome_ = Decided::differs;
        continue;
      }
      about_.push_back(part);
      if (part.state == PartState::held && verdict.approves) {
        ask_rules_again(part);
      } else {
        TRY(record_one(part, verdict));
      }
    }
    if (!changed_) return Ruling{outcome_, std::move(about_)};
    ++waiting_->version;
    ASSIGN_OR_RETURN(const bool replaced, table_.replace(*waiting_, WaitTable::Parts::changed));
    CHECK(replaced);  // read in the same transaction
    return Ruling{done_ ? Decided::done : outcome_, std::move(about_)};
  }

  const std::optional<Waiting>& waiting() const { return waiting_; }
  // The processor has to look at it.
  bool has_changed() const { return changed_; }

 private:
  // Whom a row or a rule is missing for can be refused, and no person stands in for these.
  static bool may_be_decided(const WaitingPart& part, const Vote& verdict) {
    if (part.state == PartState::unlisted) return !verdict.approves;
    return part.state == PartState::undecided || part.state == PartState::held;
  }

  void ask_rules_again(WaitingPart& part) {
    part.state = PartState::listed;  // is judged as if it had just come
    outcome_ = Decided::held;
    changed_ = true;
  }

  // What nobody can be shown nobody can agree to: as `approved` it is looked at again, and asked
  // about with its object (consent_to()).
  void look_again(WaitingPart& part) {
    part.state = PartState::approved;
    outcome_ = Decided::not_recorded;
    changed_ = true;
  }

  int people_for(const WaitingPart& part) const {
    if (part.rule.empty()) return needed_;
    return std::max({part.people, ChannelPolicy::least_approvals(transaction_.body), 1});
  }

  Result<void> record_one(WaitingPart& part, Vote verdict) {
    const auto digest = part.digest();
    if (verdict.approves && !digest) {
      look_again(part);
      return {};
    }
    verdict.certReqId = part.certReqId;
    verdict.round = part.round;
    if (digest) verdict.object = to_bytes(*digest);
    auto names = approvers(verdicts_, part, by_account_);
    const auto person = person_of(verdict, by_account_);
    if (verdict.approves && names.contains(person)) {
      outcome_ = Decided::said_before;
      return {};
    }
    TRY(table_.add(transaction_.id, verdict));
    const auto entry = verdict_entry(transaction_, part, verdict);
    TRY(writer_.audit(entry.event, entry.detail));
    names.insert(person);
    if (!verdict.approves) {
      part.state = PartState::rejected;
      part.reason = verdict.reason;
    } else if (names.size() >= static_cast<std::size_t>(people_for(part))) {
      part.state = PartState::approved;
    } else {
      outcome_ = Decided::one_more;
      return {};
    }
    about_.back().state = part.state;
    done_ = changed_ = true;
    return {};
  }

  LedgerWriter& writer_;
  WaitTable table_;
  const Transaction& transaction_;
  const int needed_;  // where no rule has said another number
  const bool by_account_;
  std::optional<Waiting> waiting_;
  std::vector<Vote> verdicts_;
  std::vector<WaitingPart> about_;
  Decided outcome_ = Decided::nothing_waits;
  bool done_ = false;
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
    case Decided::differs:
      return "what waits is something else than this digest";
    case Decided::not_recorded:
      return "what it is about was not recorded; it is looked at again: then see and decide";
    case Decided::unlisted:
      return "it waits for its row in the list of devices: `cmpost device import`; until then it "
             "can only be rejected";
    case Decided::own:
      return "nobody approves what he has brought or asks for himself";
    case Decided::held:
      return "a rule holds it: rules are asked once more, and nobody agrees to it as long as one "
             "holds it";
    case Decided::nothing_waits:
      break;
  }
  return "nothing of it waits for a decision";
}

Result<Ruling> decide(Spool& spool, Ledger& ledger, const ChannelSettings* channel,
                      const Clock& clock, const Transaction& transaction, const Choice& choice,
                      Vote verdict, const Officer* officer) {
  if (verdict.signature.empty()) verdict.at = clock.now();
  Ruling outcome;
  std::optional<Waiting> waiting;
  bool changed = false;
  TRY(ledger.write([&](LedgerWriter& writer) -> Result<void> {
    if (officer != nullptr && verdict.approves) {
      ASSIGN_OR_RETURN(auto why, why_own(writer.connection(), transaction, *officer));
      if (!why.empty()) {
        outcome = {Decided::own, {}, std::move(why)};
        return {};
      }
    }
    Deciding deciding(writer, transaction, channel);
    ASSIGN_OR_RETURN(outcome, deciding.record(choice, verdict));
    waiting = deciding.waiting();
    changed = deciding.has_changed();
    return {};
  }));
  if (!changed) return outcome;
  const auto job = resume_job(transaction.transactionID, *waiting, kVerdictGiven);
  TRY(spool.requests().put({&job, 1}));
  return outcome;
}

}  // namespace cmpost
