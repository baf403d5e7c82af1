// The answers to a batch, as one message.
#include <algorithm>
#include <set>

#include "base/log.h"
#include "cmp/nesting.h"
#include "processor/admission/authentication.h"
#include "processor/admission/header_rules.h"
#include "processor/proceeding/proceeding.h"
#include "processor/relay/relay.h"

namespace cmpost {
namespace {

// Each answer becomes a job of its own, and is verified by itself. Whom the batch says nothing
// about hears systemUnavail (RFC 9483 5.2.2.2), if the protection of the whole holds.
class BatchAnswer {
 public:
  BatchAnswer(const Lease& lease, LedgerReader& ledger, const ProcessorServices& services)
      : job_(lease.job), at_(lease.job.id, lease.job.envelope, services) {
    at_.ledger = &ledger;
  }

  Result<Decision> hear() {
    const auto& channel = at_.shared.channels.at(job_.envelope.channel);
    auto message = decode(job_.payload, channel.limits);
    if (!message) {
      return at_.keep_for_operator("no answer: not a PKIMessage: " + message.error().text());
    }
    at_.request.message = std::move(*message);
    at_.request.channel = &channel;
    const auto& tid = at_.request.message.header.transactionID;
    if (!tid) return at_.keep_for_operator("no answer: it has no transactionID");
    at_.decision.tid = to_hex(*tid);
    UpstreamTable table(at_.ledger->connection());
    ASSIGN_OR_RETURN(batch_, table.find_batch(*tid));
    if (!batch_) return at_.keep_for_operator("answers to no batch that was sent from here");
    ASSIGN_OR_RETURN(const auto believed, apart(believe()));
    if (!believed) {
      return at_.keep_for_operator("answers that do not count: " + believed.error().text);
    }
    if (!is_final()) return at_.keep_for_operator("no answers to a batch, and no error");
    take_apart();
    TRY(miss(table));
    return at_.stay_silent("taken apart into " + std::to_string(at_.decision.more.size()) +
                           " answers");
  }

 private:
  Outcome<void> believe() {
    if (batch_->channel != at_.request.channel->settings.name) {
      return reject(PKIFailureInfo::notAuthorized,
                    "they came on another channel than " + batch_->channel);
    }
    ASSIGN_OR_RETURN(at_.request.wishes,
                     check_header(at_.request.message, *at_.request.channel, at_.request.likely));
    if (at_.request.message.header.recipNonce != batch_->senderNonce) {
      return reject(PKIFailureInfo::badRecipientNonce, "recipNonce is not that of the batch");
    }
    ASSIGN_OR_RETURN(const auto signer, authenticate(at_.request, at_.services()));
    TRY(at_.shared.role.check_above(at_.request, signer));
    return {};
  }

  // An error about the batch is one for each of its requesters (RFC 9483 3.6.3).
  bool is_final() const {
    const auto& body = at_.request.message.body;
    const auto* error = std::get_if<body::error>(&body);
    const bool ends =
        error != nullptr && error->content.pKIStatusInfo.status == PKIStatus::rejection;
    return ends || std::holds_alternative<body::nested>(body);
  }

  void take_apart() {
    const auto* nested = std::get_if<body::nested>(&at_.request.message.body);
    if (nested == nullptr) return;
    std::size_t number = 0;
    for (const auto& member : nested->messages) {
      const auto text = std::to_string(++number);
      Job job{make_job_id({view_of("answer in a batch"), ByteView(job_.id.octets), view_of(text)}),
              job_.envelope, member};
      job.envelope.source += "#" + text;
      const auto header = readable_header(member, at_.request.channel->limits);
      if (header && header->transactionID) {
        answered_.insert(*header->transactionID);
      } else {
        unreadable_ = true;
      }
      at_.decision.more.push_back(std::move(job));
    }
  }

  // An answer that cannot be read is held, and may be anybody's: then time decides.
  Result<void> miss(UpstreamTable& table) {
    if (unreadable_) return {};
    ASSIGN_OR_RETURN(const auto members, table.of_batch(batch_->id));
    for (const auto& one : members) {
      if (!is_open(one.state) || answered_.contains(one.transactionID)) continue;
      log::warning("upstream.not_in_batch",
                   {{"tid", to_hex(one.transactionID)}, {"channel", one.channel}});
      at_.decision.more.push_back(upstream_job(one, kUnanswered));
    }
    return {};
  }

  const Job& job_;
  Proceeding at_;
  std::optional<UpstreamBatch> batch_;
  std::set<Bytes> answered_;
  bool unreadable_ = false;  // some answer
};

}  // namespace

Result<bool> is_about_batch(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  if (is_nested(lease.job.payload)) return true;
  const auto& channel = services.channels.at(lease.job.envelope.channel);
  const auto header = readable_header(lease.job.payload, channel.limits);
  if (!header || !header->transactionID) return false;
  ASSIGN_OR_RETURN(const auto batch,
                   UpstreamTable(ledger.connection()).find_batch(*header->transactionID));
  return batch.has_value();
}

Result<Decision> hear_batch(const Lease& lease, LedgerReader& ledger,
                            const ProcessorServices& services) {
  return BatchAnswer(lease, ledger, services).hear();
}

}  // namespace cmpost
