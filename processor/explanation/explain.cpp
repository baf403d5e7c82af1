#include "processor/explanation/explain.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "processor/admission/header_rules.h"
#include "processor/explanation/explain_again.h"
#include "processor/transaction/answer.h"
#include "processor/transaction/stored_request.h"
#include "processor/transaction/wait_table.h"
#include "processor/upstream/upstream_answer.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {
namespace {

using Judged = CheckVerdict::Verdict;

constexpr std::array kPartChecks = {PartCheck::certTemplate, PartCheck::possession,
                                    PartCheck::subject,      PartCheck::profile,
                                    PartCheck::rules,        PartCheck::lint};

class Explanation : private VerdictsSoFar {
 public:
  Explanation(LedgerReader& ledger, const ProcessorServices* services)
      : ledger_(ledger), services_(services) {}

  Result<CheckVerdicts> run(const Transaction& transaction, const StoredMessage& stored) {
    pass("channel", stored.channel);
    ASSIGN_OR_RETURN(const bool readable, read(stored));
    if (!readable) {
      skip("the rest", stored.outcome);
      return std::move(verdicts_);
    }
    note_header(stored);
    pass("protection and sender",
         transaction.requester.empty() ? printable(transaction.credential) : transaction.requester);
    if (opens_transaction(message_.body)) {
      pass("credential may be used");
      ASSIGN_OR_RETURN(waiting_, WaitTable(ledger_.connection()).find(transaction.id));
    }
    ASSIGN_OR_RETURN(upstream_, UpstreamTable(ledger_.connection()).of_transaction(transaction.id));
    TRY(note_body(stored));
    note_upstream(stored);
    return std::move(verdicts_);
  }

 private:
  // Of an RA: what it has sent to the CA above for this message.
  void note_upstream(const StoredMessage& stored) {
    for (const auto& one : upstream_) {
      // What is sent by ourselves belongs to what has opened the transaction.
      const bool about =
          one.question ? *one.question == stored.digest : opens_transaction(message_.body);
      if (!about) continue;
      const auto check =
          one.body + " to " + one.channel + " (" + std::string(to_string(one.mode)) + ")";
      if (one.state == UpstreamState::unanswered) {
        fail(check, in_words(one));
      } else if (is_open(one.state) || one.state == UpstreamState::given_up) {
        skip(check, in_words(one));
      } else {
        pass(check, in_words(one));
      }
      if (one.answer) note_heard(one);
    }
  }

  // An answer that has not passed all of these is none: it is held, and the queue has the reason.
  void note_heard(const UpstreamMessage& asked) {
    const auto about = asked.answer_body + " from " + asked.channel + ": ";
    pass(about + "recipNonce", "that of our " + asked.body);
    pass(about + "channel", asked.channel);
    pass(about + "protection and sender", asked.answer_signer);
    pass(about + "may answer for the CA");
    pass(about + "body, parts and keys fit the request");
  }

  static std::string in_words(const UpstreamMessage& message) {
    auto text = "made " + to_iso8601(message.made);
    if (message.batch != 0) text += ", in batch " + std::to_string(message.batch);
    if (message.left) text += ", left " + to_iso8601(*message.left);
    if (message.state == UpstreamState::collected) text += ", waits for its batch";
    if (message.state == UpstreamState::waits) text += ", the CA wants more time";
    if (message.state == UpstreamState::unanswered) text += ", not answered in time";
    if (message.state == UpstreamState::given_up) text += ", nobody waits for an answer any more";
    if (!message.answer_body.empty()) text += ", answered by " + message.answer_body;
    if (message.answered) text += " " + to_iso8601(*message.answered);
    if (is_open(message.state) && message.answer_by) {
      text += ", to be answered by " + to_iso8601(*message.answer_by);
    }
    return text;
  }

  Result<bool> read(const StoredMessage& stored) {
    if (stored.sealed && services_ == nullptr) {
      skip("encoding", "the request has a token and lies sealed, and the sealing key is not here");
      return false;
    }
    der_ = stored.request;
    if (stored.sealed) {
      ASSIGN_OR_RETURN(der_, request_in(stored, services_->sealing_key));
    }
    auto decoded = decode(der_);
    if (!decoded) {
      skip("encoding", "not read by this version: " + decoded.error().text());
      return false;
    }
    pass("encoding", std::to_string(der_.size()) + " octets of strict DER");
    message_ = std::move(*decoded);
    return true;
  }

  // The settings may be others by now: what they were at that time let it pass.
  void note_header(const StoredMessage& stored) {
    if (services_ == nullptr) return pass("header");
    const auto channel = services_->channels.find(stored.channel);
    if (channel == services_->channels.end()) return pass("header");
    for (auto& verdict : explain_header(message_, channel->second, stored.at)) {
      pass(std::move(verdict.check), verdict.verdict == Judged::passed ? verdict.detail : "");
    }
  }

  Result<void> note_body(const StoredMessage& stored) {
    if (const auto answer = decode(stored.reply)) answer_ = answer->body;
    if (const auto* requests = cert_requests(message_.body)) {
      for (const auto& one : *requests) {
        const auto id = one.certReq.certReqId;
        TRY(note_part(id, "request " + std::to_string(id) + ": ", stored));
      }
      return {};
    }
    if (std::holds_alternative<body::p10cr>(message_.body)) {
      return note_part(p10cr_id(), "request: ", stored);
    }
    const auto told = this->told(0);
    if (told ? told->status == PKIStatus::waiting : is_undecided()) {
      skip("outcome", stored.outcome);
    } else if (told && !is_granted(*told)) {
      fail("outcome", words_of(*told));
    } else {
      pass("outcome", stored.outcome);
    }
    return {};
  }

  // Peers with that quirk were answered with another one.
  std::int64_t p10cr_id() const {
    if (waiting_ && waiting_->parts.size() == 1) return waiting_->parts.front().certReqId;
    const auto* response = answer_ ? cert_response(*answer_) : nullptr;
    const bool known = response != nullptr && response->response.size() == 1;
    return known ? response->response.front().certReqId : kWholeMessage;
  }

  bool is_undecided() const { return waiting_ && !waiting_->all_decided(); }

  // By the answer to this message, or, where the request had to wait, by the final one.
  std::optional<PKIStatusInfo> told(std::int64_t certReqId) const {
    auto first = answer_ ? status_about(*answer_, certReqId) : std::nullopt;
    const bool is_final = first && first->status != PKIStatus::waiting;
    const auto* part = is_final || !waiting_ ? nullptr : waiting_->part(certReqId);
    if (part == nullptr && !is_final && waiting_) part = waiting_->part(kWholeMessage);
    const bool decided =
        part != nullptr && (part->state == PartState::ready || part->state == PartState::delivered);
    return decided ? status_about(part->answer, certReqId) : first;
  }

  Result<void> note_part(std::int64_t certReqId, const std::string& about,
                         const StoredMessage& stored) {
    const auto told = this->told(certReqId);
    if (told && told->status == PKIStatus::rejection) return note_refused(about, *told, stored);
    if (!told || !is_granted(*told)) {
      skip(about + "decision", stored.outcome);
      return {};
    }
    if (std::holds_alternative<body::krr>(message_.body)) {
      pass(about + "decision", stored.outcome);
      return {};
    }
    const auto changes = words_of(*told);
    for (const auto check : kPartChecks) {
      if (!upstream_.empty() && (check == PartCheck::rules || check == PartCheck::lint)) {
        skip(about + title_of(check), "not judged here: the CA does");
        continue;
      }
      pass(about + title_of(check), check != PartCheck::rules ? std::string()
                                    : changes.empty()         ? "as asked for"
                                                              : "with changes: " + changes);
    }
    return {};
  }

  // The check that says the same now is the one that has said it; where none does, what it built on
  // has changed since.
  Result<void> note_refused(const std::string& about, const PKIStatusInfo& told,
                            const StoredMessage& stored) {
    const auto words = words_of(told);
    TRY(look_again(stored));
    CheckVerdicts now;
    std::ranges::copy_if(*again_, std::back_inserter(now),
                         [&](const auto& one) { return one.check.starts_with(about); });
    const auto said = std::ranges::find_if(
        now, [&](const auto& one) { return one.verdict == Judged::failed && one.detail == words; });
    if (said == now.end()) {
      fail(about + "decision", words);
      return {};
    }
    for (auto one = now.begin(); one != said; ++one) {
      pass(one->check, one->verdict == Judged::passed ? one->detail : "");
    }
    fail(said->check, words);
    for (auto one = said + 1; one != now.end(); ++one) {
      one->verdict == Judged::passed ? pass(one->check, one->detail)
                                     : skip(one->check, "not looked at any more");
    }
    return {};
  }

  // Once for all parts.
  Result<void> look_again(const StoredMessage& stored) {
    if (again_) return {};
    again_.emplace();
    if (services_ == nullptr) return {};
    ASSIGN_OR_RETURN(
        again_, explain_again({message_, der_, stored.digest, stored.channel, stored.at}, ledger_,
                              *services_));
    return {};
  }

  LedgerReader& ledger_;
  const ProcessorServices* services_;
  Bytes der_;
  PKIMessage message_;
  std::optional<PKIBody> answer_;
  std::optional<Waiting> waiting_;
  UpstreamMessages upstream_;  // of an RA: it has judged a part of it, and the CA the rest
  std::optional<CheckVerdicts> again_;
};

constexpr std::array kStageNames = {"channel",
                                    "encoding",
                                    "header",
                                    "protection and sender",
                                    "credential may be used",
                                    "transaction that it names",
                                    "body"};

}  // namespace

Result<CheckVerdicts> explain(const Transaction& transaction, const StoredMessage& message,
                              LedgerReader& ledger, const ProcessorServices* services) {
  return Explanation(ledger, services).run(transaction, message);
}

CheckVerdicts explain(const RefusedRequest& refused) {
  CheckVerdicts verdicts;
  const auto failed = static_cast<std::size_t>(refused.stage);
  for (std::size_t i = 0; i < kStageNames.size(); ++i) {
    CheckVerdict one{kStageNames[i], Judged::passed, {}};
    if (i == failed) {
      one.verdict = Judged::failed;
      one.detail = refused.failInfo + (refused.failInfo.empty() ? "" : ": ") + refused.reason;
      if (!refused.note.empty()) one.detail += " (" + refused.note + ")";
    } else if (i > failed) {
      one.verdict = Judged::skipped;
    } else if (static_cast<Milestone>(i) == Milestone::channel) {
      one.detail = refused.channel;
    } else if (static_cast<Milestone>(i) == Milestone::sender) {
      one.detail = refused.requester;
    }
    verdicts.push_back(std::move(one));
  }
  return verdicts;
}

}  // namespace cmpost
