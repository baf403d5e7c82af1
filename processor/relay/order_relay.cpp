#include "processor/relay/order_relay.h"

#include <algorithm>

#include "base/log.h"
#include "processor/proceeding/continuation.h"
#include "processor/transaction/audit_detail.h"
#include "processor/upstream/find_orders.h"

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

class OrderRelay : Continuation {
 public:
  OrderRelay(const Lease& lease, OrderNews news, LedgerReader& ledger,
             const ProcessorServices& services)
      : Continuation(lease.job.id, lease.job.envelope, ledger, services),
        lease_(lease),
        job_(lease.job),
        news_(news),
        channel_(at_.find_channel(lease.job.envelope.channel)),
        digest_(sha256(lease.job.payload)) {}

  Result<Decision> hear() {
    const bool takes_orders = channel_ != nullptr && channel_->settings.orders() != nullptr;
    if (news_ == OrderNews::certificates && !takes_orders) {
      return at_.keep_for_operator("the channel " + job_.envelope.channel +
                                   " takes no orders any more");
    }
    ASSIGN_OR_RETURN(auto found, find_orders(job_, at_.ledger->connection()));
    if (!found.fault.empty()) return at_.keep_for_operator(found.fault);
    certificates_ = std::move(found.certificates);
    orders_ = std::move(found.orders);
    if (const auto* before = answered_before()) return repeat(*before);
    const auto open = open_orders();
    if (open.empty()) return nobody_waits();
    if (news_ != OrderNews::certificates) {
      const auto& tid = open.front()->transactionID;
      const bool one = std::ranges::all_of(
          open, [&](const UpstreamMessage* order) { return order->transactionID == tid; });
      if (!one) return at_.keep_for_operator("several orders are called " + job_.envelope.tid);
      return answer(*open.front());
    }
    return answer_first(open);
  }

 private:
  using Orders = std::vector<const UpstreamMessage*>;

  UpstreamTable upstream() const { return UpstreamTable(at_.ledger->connection()); }

  Orders open_orders() const {
    Orders open;
    for (const auto& one : orders_) {
      if (stands_open(one, news_)) open.push_back(&one);
    }
    return open;
  }

  // A key may have been ordered for more than once: the certificate is for the first order that it
  // is what was asked for in. What is wrong with it is told of the first.
  Result<Decision> answer_first(const Orders& open) {
    std::optional<Decision> held;
    for (const auto* order : open) {
      OrderRelay attempt(lease_, news_, *at_.ledger, at_.shared);
      attempt.certificates_ = certificates_;
      ASSIGN_OR_RETURN(auto decision, attempt.answer(*order));
      if (!std::holds_alternative<Decision::Hold>(decision.what)) {
        ASSIGN_OR_RETURN(decision.more, news_of_same(*order));
        return decision;
      }
      if (!held) held = std::move(decision);
    }
    return *std::move(held);
  }

  Result<Decision> answer(const UpstreamMessage& order) {
    asked_ = &order;
    at_.decision.tid = to_hex(order.transactionID);
    if (order.state == UpstreamState::unanswered) return take_late();
    return order.question ? take() : note_own();
  }

  // Where the same was asked for once more, the certificate answers that, too.
  Result<std::vector<Job>> news_of_same(const UpstreamMessage& answered) {
    ASSIGN_OR_RETURN(const auto same, upstream().same_orders(answered));
    std::vector<Job> jobs;
    for (const auto& one : same) {
      jobs.push_back(order_job(one.channel, news_, to_hex(one.transactionID),
                               "the answer to order " + name_of(answered), job_.payload));
    }
    return jobs;
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
    if (news_ == OrderNews::certificates) {
      ASSIGN_OR_RETURN(at_.decision.more, news_of_same(before));
    }
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

  Result<Checked<Answer>> judge() {
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
    return apart(at_.shared.role.hear_order(heard, services));
  }

  // A person has revoked long after the requester was told that nobody has answered: what he had
  // asked may be forgotten, and stands in the order.
  Result<Decision> take_late() {
    ASSIGN_OR_RETURN(const auto whole, upstream().find(asked_->id));
    if (!whole) return hold("the ledger has lost what is to be revoked");
    auto message = decode(whole->octets, {.max_message = whole->octets.size()});
    if (!message) return hold("a stored message cannot be read: " + message.error().text());
    at_.request.message = std::move(*message);
    ASSIGN_OR_RETURN(const auto transaction, at_.table().find(asked_->transaction));
    at_.transaction = transaction.value_or(Transaction{});
    ASSIGN_OR_RETURN(auto answer, judge());
    if (!answer) return at_.keep_for_operator(answer.error().text);
    at_.decision.effects = std::move(answer->effects);
    at_.conclude(*answer);
    at_.decision.effects.upstream.push_back(answered());
    note_heard();
    return at_.stay_silent(at_.decision.outcome);
  }

  Result<Decision> take() {
    TRY(recall());
    ASSIGN_OR_RETURN(auto answer, judge());
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
    note_answers(answer, false);
    return pass_on(&above);
  }

  const Lease& lease_;
  const Job& job_;
  const OrderNews news_;
  const ChannelPolicy* const channel_;  // nullptr: it is gone
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
