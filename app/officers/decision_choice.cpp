#include "app/officers/decision_choice.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "app/records/find_transaction.h"
#include "app/terminal/output.h"
#include "base/printable.h"
#include "processor/batches/batch_table.h"
#include "processor/records/request_listing.h"
#include "processor/transaction/transaction_table.h"

namespace cmpost {
namespace {

using Chosen = std::vector<NamedRequest>;

// "TID" or "TID:certReqId"
Result<NamedRequest> read_named(Connection& connection, const std::string& text) {
  NamedRequest named;
  const auto colon = text.find(':');
  if (colon != std::string::npos) {
    const auto* const end = text.data() + text.size();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, number);
    if (error != std::errc() || stop != end) {
      return wrong_usage("\"" + printable(text, 80) + "\" names no part",
                         "write TID:certReqId, such as 0a1b...:0");
    }
    named.choice.certReqId = number;
  }
  ASSIGN_OR_RETURN(named.transaction, find_transaction(connection, text.substr(0, colon)));
  return named;
}

Result<std::optional<Sha256>> read_digest(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto octets = from_hex(text);
  Sha256 digest{};
  if (!octets || octets->size() != digest.size()) {
    return wrong_usage("\"" + printable(text, 80) + "\" is no digest",
                       "`cmpost transaction show` has it, 64 hexadecimal digits");
  }
  std::ranges::copy(*octets, digest.begin());
  return digest;
}

// "subject~dev-", "requester~acme"
Result<ListFilter> read_match(const std::string& text) {
  constexpr const char* kHint =
      "'subject~TEXT', 'requester~TEXT', 'source~TEXT': what has TEXT in it; 'channel~NAME'";
  ListFilter filter;
  const auto sign = text.find('~');
  const auto field = text.substr(0, std::min(sign, text.size()));
  const auto value = sign == std::string::npos ? std::string() : text.substr(sign + 1);
  if (value.empty()) return wrong_usage("--matching wants a field, ~ and a text", kHint);
  if (field == "subject") {
    filter.subject = value;
  } else if (field == "requester") {
    filter.requester = value;
  } else if (field == "source") {
    filter.source = value;
  } else if (field == "channel") {
    filter.channel = value;
  } else {
    return wrong_usage("\"" + printable(field, 40) + "\" is no field of --matching", kHint);
  }
  filter.state = to_string(TransactionState::waiting);
  return filter;
}

class Gathering {
 public:
  Gathering(LedgerReader& ledger, const DecisionWords& words)
      : connection_(ledger.connection()), words_(words) {}

  Result<Chosen> run() {
    TRY(check_words());
    ASSIGN_OR_RETURN(const auto digest, read_digest(words_.digest));
    for (const auto& id : words_.ids) {
      ASSIGN_OR_RETURN(auto named, read_named(connection_, id));
      named.choice.object = digest;
      chosen_.push_back(std::move(named));
    }
    if (!words_.matching.empty()) TRY(add_matching());
    if (!words_.batch.empty()) TRY(add_batch());
    TRY(check_count());
    return std::move(chosen_);
  }

 private:
  bool is_bulk() const { return !words_.batch.empty() || !words_.matching.empty(); }

  Result<void> check_words() const {
    if (!words_.digest.empty() && is_bulk()) {
      return wrong_usage("--digest names one request, and --batch and --matching many",
                         "approve them one by one");
    }
    if (!words_.batch.empty() && !words_.matching.empty()) {
      return wrong_usage("--batch and --matching are two ways to name requests",
                         "give one of them");
    }
    if (words_.expect && !is_bulk()) {
      return wrong_usage("--expect goes with --batch or --matching");
    }
    if (!words_.matching.empty() && !words_.expect) return wants_count();
    return {};
  }

  static tl::unexpected<Error> wants_count() {
    return wrong_usage("how many requests it is about is not said",
                       "--expect N: what is another number is not decided");
  }

  // A part by what it is about now: what changes meanwhile is not decided.
  Result<void> add(const Transaction& transaction) {
    ASSIGN_OR_RETURN(const auto waiting, WaitTable(connection_).find(transaction.id));
    if (!waiting) return {};
    bool counts = false;
    for (const auto& part : waiting->parts) {
      const bool held = part.state == PartState::held || part.state == PartState::unlisted;
      if (part.state != PartState::undecided && (!held || words_.approves)) continue;
      chosen_.push_back({transaction, {part.certReqId, part.digest()}});
      counts = true;
    }
    if (counts) ++transactions_;
    return {};
  }

  Result<void> add_matching() {
    ASSIGN_OR_RETURN(const auto filter, read_match(words_.matching));
    std::vector<std::int64_t> rows;
    TRY(list_requests(connection_, filter, [&](const ListedRequest& one) -> Result<void> {
      if (!one.refused) rows.push_back(one.id);
      return {};
    }));
    for (const auto row : rows) {
      ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection_).find(row));
      if (transaction) TRY(add(*transaction));
    }
    return {};
  }

  // A set of requests by its name (`cmpost batch`), or a nested message by its transactionID.
  Result<void> add_batch() {
    BatchTable table(connection_);
    ASSIGN_OR_RETURN(const auto named, table.find(words_.batch));
    const auto tid = from_hex(words_.batch);
    if (named) return add_set(named->id);
    if (!tid || tid->empty()) {
      return wrong_usage("\"" + printable(words_.batch, 80) +
                             "\" is no batch, and no transactionID of a nested message",
                         "`cmpost batch list` has their names; a transactionID is written in "
                         "hexadecimal");
    }
    ASSIGN_OR_RETURN(const auto members, TransactionTable(connection_).of_batch(ByteView(*tid)));
    for (const auto& member : members) {
      if (member.state == TransactionState::waiting) TRY(add(member));
    }
    return {};
  }

  Result<void> add_set(std::int64_t batch) {
    if (!words_.expect) return wants_count();
    std::set<Bytes> ids;
    TRY(BatchTable(connection_).for_each(batch, [&](const BatchEntry& item) -> Result<void> {
      if (item.taken && !item.request.transactionID.empty()) {
        ids.insert(item.request.transactionID);
      }
      return {};
    }));
    for (const auto& id : ids) {
      ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection_).find(ByteView(id)));
      if (transaction && transaction->state == TransactionState::waiting) TRY(add(*transaction));
    }
    return {};
  }

  Result<void> check_count() const {
    if (!words_.expect || *words_.expect == transactions_) return {};
    return hold(std::to_string(transactions_) + " transactions wait that are meant, not " +
                    std::to_string(*words_.expect) + ": nothing was decided",
                "look at them: `cmpost transaction list --state waiting`");
  }

  Connection& connection_;
  const DecisionWords& words_;
  Chosen chosen_;
  std::int64_t transactions_ = 0;
};

}  // namespace

Result<std::vector<NamedRequest>> choose(LedgerReader& ledger, const DecisionWords& words) {
  return Gathering(ledger, words).run();
}

}  // namespace cmpost
