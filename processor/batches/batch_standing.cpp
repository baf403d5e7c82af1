#include "processor/batches/batch_standing.h"

#include <algorithm>

#include "asn1/oid.h"
#include "base/joined.h"
#include "ca/serial_number.h"
#include "cmp/pki_message.h"
#include "processor/transaction/refused_request.h"
#include "processor/transaction/transaction_table.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr std::array<std::string_view, kBatchStates> kStates = {
    "missing", "left-out", "ready",   "queued",  "held", "waiting",
    "granted", "partly",   "refused", "dropped", "gone"};
constexpr std::array<std::string_view, kConfirmations> kConfirmed = {
    "confirmed", "refused", "awaited", "overdue", "not-needed", "not-in-time", "unknown"};

template <typename T, std::size_t N>
std::optional<T> spelled(const std::array<std::string_view, N>& words, std::string_view text) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<T>(found - words.begin());
}

BatchState state_of(MessageResult result) {
  switch (result) {
    case MessageResult::granted:
    case MessageResult::changed:
      return BatchState::granted;
    case MessageResult::partly:
      return BatchState::partly;
    case MessageResult::waiting:
      return BatchState::waiting;
    case MessageResult::refused:
      break;
  }
  return BatchState::refused;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::optional<BatchStanding> noted_in(const BatchRequest& request) {
  const auto state = batch_state(request.noted);
  if (!state) return std::nullopt;
  BatchStanding standing;
  standing.state = *state;
  standing.reason = request.noted_reason;
  standing.failInfo = request.noted_failInfo;
  standing.serials = words_of(request.noted_serials);
  return standing;
}

std::string words_in(const PKIStatusInfo& status) {
  auto text = joined(status.statusString);
  return text.empty() ? std::string("without a reason") : printable(text);
}

// What certConf says of one; nothing: RFC 9810 5.3.18, "rejected".
void judge(const CertStatus* status, const StoredMessage& message, ConfirmedCertificate& one) {
  one.at = message.at;
  const bool accepted = status != nullptr &&
                        (!status->statusInfo || status->statusInfo->status == PKIStatus::accepted ||
                         status->statusInfo->status == PKIStatus::grantedWithMods);
  if (accepted && message.reply_body == "pkiconf") {
    one.what = Confirmation::confirmed;
    return;
  }
  one.what = Confirmation::refused;
  one.reason = accepted            ? message.outcome
               : status == nullptr ? "certConf does not name it"
                                   : words_in(*status->statusInfo);
}

// What the device has said of it afterwards, if the message is that.
void hear(const StoredMessage& message, const TransactionCertificate& issued,
          ConfirmedCertificate& one) {
  if (message.body == "error") {
    one = {one.serial, Confirmation::refused, message.at, "by an error message"};
  }
  if (message.body != "certConf") return;
  const auto read = decode(message.request);
  const auto* content = read ? std::get_if<body::certConf>(&read->body) : nullptr;
  if (content == nullptr) return;
  const auto status =
      std::ranges::find(content->statuses, issued.certReqId, &CertStatus::certReqId);
  judge(status == content->statuses.end() ? nullptr : &*status, message, one);
}

// Whether the answer says that silence is acceptance (RFC 9810 5.1.1.1).
bool promises_silence(const StoredMessage& message) {
  const auto header = readable_header(message.reply);
  return header && find(header->generalInfo, oid::id_it_implicitConfirm) != nullptr;
}

}  // namespace

std::string_view to_string(BatchState state) { return kStates[static_cast<std::size_t>(state)]; }
std::optional<BatchState> batch_state(std::string_view text) {
  return spelled<BatchState>(kStates, text);
}
std::string_view to_string(Confirmation confirmation) {
  return kConfirmed[static_cast<std::size_t>(confirmation)];
}
std::optional<Confirmation> confirmation(std::string_view text) {
  return spelled<Confirmation>(kConfirmed, text);
}

Result<BatchStanding> BatchLook::standing(const BatchEntry& item) {
  BatchStanding standing;
  standing.reason = item.detail;
  if (!item.taken) {
    const bool missing = item.finding == BatchFinding::missing;
    standing.state = missing ? BatchState::missing : BatchState::left_out;
    return standing;
  }
  standing.reason.clear();
  if (!item.request.put) return standing;
  // The transaction and the list of refusals are written in one commit with the answer; the queue
  // hears of it later, and keeps it for a shorter time.
  using Source = Result<std::optional<BatchStanding>> (BatchLook::*)(const BatchRequest&);
  for (const Source source : {&BatchLook::on_record, &BatchLook::before_any_transaction}) {
    ASSIGN_OR_RETURN(auto found, (this->*source)(item.request));
    if (found) return *std::move(found);
  }
  if (auto noted = noted_in(item.request)) return *std::move(noted);
  ASSIGN_OR_RETURN(auto queued, in_queue(item.request));
  if (queued) return *std::move(queued);
  if (was_lost(item.request)) {
    standing.state = BatchState::ready;
    standing.reason = "the queue that it was put into is gone";
    return standing;
  }
  standing.state = BatchState::gone;
  standing.reason = "neither the ledger nor the queue knows it any more";
  return standing;
}

bool BatchLook::was_lost(const BatchRequest& request) const {
  return remembered_ == Duration::zero() || now_ - *request.put < remembered_;
}

Result<std::optional<BatchStanding>> BatchLook::on_record(const BatchRequest& request) {
  TransactionTable table(ledger_.connection());
  if (request.transactionID.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto transaction, table.find(request.transactionID));
  if (!transaction) return std::nullopt;
  // Without the octets, which lists do not need.
  const auto read = [](Row& row) -> Result<BatchStanding> {
    const auto word = row.next<std::string>();
    BatchStanding standing;
    row.into(standing.failInfo, standing.reason);
    const auto result = message_result(word);
    if (!result) return hold("the ledger has a message that came to " + printable(word));
    standing.state = state_of(*result);
    if (*result == MessageResult::granted) standing.reason.clear();
    return standing;
  };
  ASSIGN_OR_RETURN(auto found, one(ledger_.connection(),
                                   "SELECT result, fail_info, outcome FROM message WHERE tx = ? "
                                   "AND digest = ?",
                                   read, transaction->id, request.digest));
  if (!found) return std::nullopt;
  auto& standing = *found;
  standing.transaction = transaction->id;
  for (const auto& certificate : transaction->certificates) {
    standing.serials.push_back(serial_text(certificate.serial));
  }
  return found;
}

Result<std::optional<BatchStanding>> BatchLook::before_any_transaction(
    const BatchRequest& request) {
  static const auto kSql = "SELECT " + std::string(kRefusedColumns) +
                           " FROM refused WHERE job = ? AND digest = ? ORDER BY id DESC LIMIT 1";
  ASSIGN_OR_RETURN(const auto refused, one(ledger_.connection(), kSql, read_refused,
                                           request.job.octets, request.digest));
  if (!refused) return std::nullopt;
  // Without an answer it is not refused: it waits for a person, or its job is just about to.
  if (refused->reply_body.empty()) {
    ASSIGN_OR_RETURN(auto queued, in_queue(request));
    const bool open =
        queued && (queued->state == BatchState::held || queued->state == BatchState::queued);
    if (open) return queued;
  }
  BatchStanding standing;
  standing.state = BatchState::refused;
  standing.reason = refused->reason;
  standing.failInfo = refused->failInfo;
  standing.judged_anew = refused->stage > Milestone::encoding;
  return std::optional(std::move(standing));
}

Result<std::optional<BatchStanding>> BatchLook::in_queue(const BatchRequest& request) {
  ASSIGN_OR_RETURN(const auto job, requests_.find(request.job));
  if (!job) return std::nullopt;
  BatchStanding standing;
  standing.reason = job->reason;
  switch (job->state) {
    case JobState::waiting:
    case JobState::active:
    case JobState::deferred:
      standing.state = BatchState::queued;
      break;
    case JobState::held:
      standing.state = BatchState::held;
      break;
    case JobState::done:
      standing.state = job->dropped ? BatchState::dropped : BatchState::gone;
      break;
  }
  return std::optional(std::move(standing));
}

Result<std::vector<ConfirmedCertificate>> BatchLook::confirmations(const BatchStanding& standing) {
  std::vector<ConfirmedCertificate> all;
  TransactionTable table(ledger_.connection());
  std::optional<Transaction> transaction;
  if (standing.transaction) {
    ASSIGN_OR_RETURN(transaction, table.find(*standing.transaction));
  }
  if (!transaction) {
    for (const auto& serial : standing.serials) {
      all.push_back({serial, Confirmation::unknown, {}, {}});
    }
    return all;
  }
  ASSIGN_OR_RETURN(const auto messages, table.messages(transaction->id));
  const bool silence_counts = std::ranges::any_of(messages, promises_silence);
  for (const auto& issued : transaction->certificates) {
    ConfirmedCertificate one{serial_text(issued.serial), Confirmation::unknown, {}, {}};
    if (!issued.settled) {
      one.at = transaction->confirm_by;
      one.what = one.at && *one.at < now_ ? Confirmation::overdue : Confirmation::awaited;
    } else if (silence_counts) {
      one.what = Confirmation::not_needed;
    } else if (!messages.empty()) {
      ASSIGN_OR_RETURN(const auto record, ledger_.find(issued.serial));
      one.what = Confirmation::not_in_time;
      if (record) one.reason = "the certificate is " + std::string(to_string(record->state));
    }
    if (issued.settled) {
      for (const auto& message : messages) hear(message, issued, one);
    }
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::optional<std::string>> find_known(LedgerReader& ledger, const RequestFacts& facts,
                                              std::string_view but) {
  auto& connection = ledger.connection();
  ASSIGN_OR_RETURN(const auto batch, BatchTable(connection).batch_with(facts.digest, but));
  if (batch) return std::optional("batch " + *batch + " has had it");
  if (facts.transactionID.empty()) return std::nullopt;
  TransactionTable table(connection);
  ASSIGN_OR_RETURN(const auto transaction, table.find(facts.transactionID));
  if (!transaction) return std::nullopt;
  ASSIGN_OR_RETURN(const auto message, table.message(transaction->id, facts.digest));
  const auto tid = to_hex(facts.transactionID);
  return std::optional(message ? "it came on " + to_iso8601(message->at) + ", transaction " + tid
                               : "another request has its transactionID " + tid);
}

}  // namespace cmpost
