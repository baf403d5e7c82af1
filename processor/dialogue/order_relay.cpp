#include "processor/dialogue/order_relay.h"

#include <algorithm>

#include "base/log.h"
#include "processor/dialogue/continuation.h"
#include "processor/transaction/audit_detail.h"
#include "processor/upstream/upstream_answer.h"

namespace cmpost {
namespace {

// What news may be about: a person may do late what was to be revoked.
std::vector<UpstreamState> open_to(OrderNews news) {
  using enum UpstreamState;
  return news == OrderNews::revoked ? std::vector{made, left, unanswered} : std::vector{made, left};
}

std::string name_of(const UpstreamMessage& order) {
  return order_name(to_hex(order.transactionID));
}

bool stands_open(const UpstreamMessage& order, OrderNews news) {
  const auto states = open_to(news);
  return std::ranges::find(states, order.state) != states.end();
}

std::string described(const Certificate& certificate) {
  return "the certificate " + certificate.serial_hex() + " for " +
         printable(certificate.subject_text(), 200);
}

class OrderRelay : Continuation {
 public:
  OrderRelay(const Lease& lease, OrderNews news, LedgerReader& ledger,
             const ProcessorServices& services)
      : Continuation(lease.job.id, lease.job.envelope, ledger, services),
        job_(lease.job),
        news_(news),
        channel_(services.channels.at(lease.job.envelope.channel)),
        digest_(sha256(lease.job.payload)) {}

  Result<Decision> hear() {
    if (news_ == OrderNews::certificates) {
      ASSIGN_OR_RETURN(const auto found, apart(find_by_key()));
      if (!found) return at_.keep_for_operator(found.error().text);
    } else {
      TRY(find_by_name());
    }
    if (const auto* before = answered_before()) return repeat(*before);
    const auto open = std::ranges::find_if(
        orders_, [&](const UpstreamMessage& one) { return stands_open(one, news_); });
    if (open == orders_.end()) return nobody_waits();
    asked_ = &*open;
    if (const auto& last = orders_.back();
        news_ != OrderNews::certificates && last.transactionID != open->transactionID) {
      return at_.keep_for_operator("several orders are called " + job_.envelope.tid);
    }
    at_.decision.tid = to_hex(asked_->transactionID);
    return asked_->question ? take() : note_own();
  }

 private:
  UpstreamTable upstream() const { return UpstreamTable(at_.ledger->connection()); }

  // The certificate that an order is for goes to the front.
  Outcome<void> find_by_key() {
    ASSIGN_OR_RETURN(certificates_, read_concatenated(job_.payload));
    std::size_t leaf = 0;
    for (std::size_t i = 0; i < certificates_.size(); ++i) {
      ASSIGN_OR_RETURN(auto found, upstream().orders_for(channel_.settings.name,
                                                         sha256(certificates_[i].spki())));
      if (found.empty()) continue;
      if (!orders_.empty()) {
        return reject(PKIFailureInfo::systemFailure,
                      "there are certificates of several orders in it: put each, with its chain, "
                      "into a file of its own");
      }
      orders_ = std::move(found);
      leaf = i;
    }
    if (orders_.empty()) {
      return reject(PKIFailureInfo::systemFailure,
                    (certificates_.empty() ? "nothing" : described(certificates_.front())) +
                        " is for a key that was never ordered here: if the CA has issued it for "
                        "us, it should be revoked there");
    }
    std::swap(certificates_.front(), certificates_[leaf]);
    return {};
  }

  Result<void> find_by_name() {
    const auto tid = from_hex(job_.envelope.tid);
    if (!tid || tid->empty()) return {};
    ASSIGN_OR_RETURN(orders_, upstream().orders_beginning(channel_.settings.name, *tid));
    if (news_ != OrderNews::revoked) return {};
    std::erase_if(orders_, [](const auto& one) { return one.body != kRevocationOrder; });
    return {};
  }

  const UpstreamMessage* answered_before() const {
    for (const auto& one : orders_) {
      if (one.answer == digest_ && one.answer_body == to_string(news_)) return &one;
    }
    return nullptr;
  }

  Result<void> find(const UpstreamMessage& order) {
    ASSIGN_OR_RETURN(at_.transaction, at_.table().find(order.transaction));
    if (!at_.transaction) {
      return hold("the ledger has lost the transaction " + to_hex(order.transactionID));
    }
    ASSIGN_OR_RETURN(at_.waiting, at_.waits().find(at_.transaction->id));
    at_.decision.tid = to_hex(order.transactionID);
    return {};
  }

  // The process may have died before the reply was in the queue, which knows the id if it was not.
  Result<Decision> repeat(const UpstreamMessage& before) {
    TRY(find(before));
    at_.decision.outcome = "the same answer again";
    const bool pushed = before.question && at_.waiting && !at_.waiting->pushed.empty();
    return pushed ? push_again(*at_.waiting) : at_.stay_silent(at_.decision.outcome);
  }

  Result<Decision> nobody_waits() {
    if (orders_.empty()) {
      return at_.keep_for_operator("no order is called " + printable(job_.envelope.tid, 80));
    }
    const auto& last = orders_.back();
    at_.decision.tid = to_hex(last.transactionID);
    const bool first_stands = last.state == UpstreamState::answered;
    log::warning("order.second_answer", {{"order", name_of(last)}, {"what", to_string(news_)}});
    if (news_ != OrderNews::certificates) {
      return at_.keep_for_operator("order " + name_of(last) + " waits for nothing: it is " +
                                   std::string(to_string(last.state)));
    }
    return at_.keep_for_operator(
        described(certificates_.front()) +
        (first_stands
             ? " is a second one for order " + name_of(last) + ": the first answer stands"
             : " has come for order " + name_of(last) + ", which is over (" +
                   std::string(to_string(last.state)) + "): its requester does not get it") +
        ". It should be revoked at the CA");
  }

  UpstreamChange answered() const {
    return {.id = asked_->id,
            .from = open_to(news_),
            .to = UpstreamState::answered,
            .answer_body = std::string(to_string(news_)),
            .answer = digest_,
            .implicit = true,  // nobody above waits for certConf
            .answered = at_.request.now};
  }

  // A certificate that its requester has not accepted.
  Result<Decision> note_own() {
    at_.decision.effects.upstream.push_back(answered());
    note_heard();
    return at_.stay_silent(news_ == OrderNews::revoked ? "revoked by hand" : "not revoked");
  }

  void note_heard() {
    const auto who = news_ == OrderNews::certificates ? certificates_.front().issuer().text()
                                                      : std::string(text_of(job_.payload));
    at_.decision.effects.audit.push_back(heard_entry(*asked_, to_string(news_), who));
  }

  Result<void> recall() {
    TRY(find(*asked_));
    at_.request.channel = at_.find_channel(at_.transaction->channel);
    if (at_.request.channel == nullptr) {
      return hold("the channel " + at_.transaction->channel + " is not configured any more");
    }
    if (!at_.waiting) return hold("the ledger has lost what waits in " + at_.decision.tid);
    TRY(load_request());
    before_state_ = at_.transaction->state;
    after_ = *at_.waiting;
    ++after_.version;
    ASSIGN_OR_RETURN(const auto known, apart(authenticate_again(Judged::on_arrival)));
    if (!known) {
      log::warning("upstream.requester_gone",
                   {{"tid", at_.decision.tid}, {"reason", known.error().text}});
    }
    return {};
  }

  Result<Decision> take() {
    TRY(recall());
    auto services = at_.services();
    const HeardOrder heard{*asked_,
                           news_,
                           certificates_,
                           text_of(job_.payload),
                           channel_,
                           at_.request,
                           at_.requester ? &*at_.requester : nullptr,
                           *at_.transaction,
                           at_.request.now};
    ASSIGN_OR_RETURN(auto answer, apart(at_.shared.role.hear_order(heard, services)));
    if (!answer) {
      return at_.keep_for_operator("order " + name_of(*asked_) + ": " + answer.error().text);
    }
    return pass_down(*std::move(answer));
  }

  Result<Decision> pass_down(Answer answer) {
    auto change = answered();
    const auto above = answer.from_above ? *answer.from_above : FromAbove{};
    for (const auto& one : above.chain) {
      change.chain.insert(change.chain.end(), one.der.begin(), one.der.end());
    }
    at_.decision.effects = std::move(answer.effects);
    at_.conclude(answer);
    note_heard();
    at_.decision.effects.upstream.push_back(std::move(change));
    // Then its requester has heard that nobody has answered.
    if (asked_->state == UpstreamState::unanswered) return at_.stay_silent(at_.decision.outcome);
    note_answers(answer, false);
    return pass_on(&above);
  }

  const Job& job_;
  const OrderNews news_;
  const ChannelPolicy& channel_;
  const Sha256 digest_;
  std::vector<Certificate> certificates_;
  std::vector<UpstreamMessage> orders_;  // that it may be about
  const UpstreamMessage* asked_ = nullptr;
};

}  // namespace

Result<Decision> hear_order(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  const auto news = order_news(lease.job.envelope.body);
  if (!news) return hold("a job that is no news of an order");
  return OrderRelay(lease, *news, ledger, services).hear();
}

}  // namespace cmpost
