#include "processor/runs/run_items.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/joined.h"
#include "ca/ledger/certificate_record.h"
#include "ca/serial_number.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/waiting.h"
#include "store/rows.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// Follow-ups are no requests of their own, and a batch is its members. What a batch as a whole was
// refused for has none. In the order of their rows, which the indices have.
#define OPENING_MESSAGES                                                                         \
  "SELECT message.id, message.tx, message.at, message.result, message.channel, message.source, " \
  "tx.tid, message.body, tx.requester, tx.subject, message.outcome, message.fail_info "          \
  "FROM message JOIN tx ON tx.id = message.tx WHERE message.id = "                               \
  "(SELECT min(id) FROM message AS first WHERE first.tx = message.tx) "                          \
  "AND (message.body <> 'nested' OR message.result = 'refused') AND "
constexpr const char* kOpenedInRun =
    OPENING_MESSAGES "message.run = ? AND message.id > ? ORDER BY message.id LIMIT 2000";
// They came in an earlier one, or in none, and have waited.
constexpr const char* kSettledInRun = OPENING_MESSAGES
    "message.settled_run = ? AND message.run <> message.settled_run AND message.id > ? "
    "ORDER BY message.id LIMIT 2000";
constexpr const char* kAllMessages = "SELECT count(*) FROM message WHERE run = ?";
constexpr const char* kBatches =
    "SELECT count(*) FROM message WHERE run = ? AND body = 'nested' AND result <> 'refused'";
constexpr const char* kOpenedBefore =
    "SELECT count(*) FROM message WHERE settled_run = ? AND run <> settled_run AND id = "
    "(SELECT min(id) FROM message AS first WHERE first.tx = message.tx)";
constexpr const char* kRefused =
    "SELECT at, channel, source, tid, body, requester, subject, fail_info, reason FROM refused "
    "WHERE run = ? ORDER BY id";

constexpr const char* kUndecidedBefore =
    "SELECT count(DISTINCT tx.id) FROM wait_part JOIN tx ON tx.id = wait_part.tx WHERE "
    "wait_part.state = ?1 AND tx.channel IN (SELECT channel FROM run_channel WHERE run = ?2) AND "
    "NOT EXISTS (SELECT 1 FROM message WHERE message.tx = tx.id AND message.run = ?2)";

ItemResult item_of(MessageResult result) {
  switch (result) {
    case MessageResult::granted:
      return ItemResult::granted;
    case MessageResult::changed:
      return ItemResult::changed;
    case MessageResult::partly:
      return ItemResult::partly;
    case MessageResult::waiting:
      return ItemResult::waiting;
    case MessageResult::refused:
      break;
  }
  return ItemResult::refused;
}

struct Opened {
  RunItem item;
  std::int64_t id = 0, transaction = 0;
  std::string failInfo;
};

Result<Opened> read_opened(Row& row) {
  Opened one;
  auto& item = one.item;
  row.into(one.id, one.transaction, item.at);
  const auto word = row.next<std::string>();
  row.into(item.channel, item.source);
  item.transactionID = to_hex(row.next<ByteView>());
  row.into(item.body, item.requester, item.subject, item.reason, one.failInfo);
  const auto result = message_result(word);
  if (!result) return hold("the ledger has a message that came to " + printable(word));
  item.result = item_of(*result);
  if (item.result == ItemResult::granted) item.reason.clear();
  return one;
}

Opened read_refusal(Row& row) {
  Opened one;
  auto& item = one.item;
  item.result = ItemResult::refused;
  row.into(item.at, item.channel, item.source);
  item.transactionID = to_hex(row.next<ByteView>());
  row.into(item.body, item.requester, item.subject, one.failInfo);
  const auto reason = row.next<std::string>();
  item.reason = one.failInfo.empty() ? reason : one.failInfo + ": " + reason;
  return one;
}

RunItem held_item(const JobStatus& job) {
  RunItem item;
  item.at = job.arrived;
  item.result = ItemResult::held;
  item.channel = job.envelope.channel;
  item.source = printable(job.envelope.source);
  item.transactionID = job.envelope.tid;
  item.body = job.envelope.body;
  item.reason = job.reason;
  return item;
}

// Writes items, and sums up over them.
class Gathering {
 public:
  Gathering(LedgerWriter& writer, RunFacts& facts)
      : connection_(writer.connection()), reader_(writer.reader()), facts_(facts) {}

  Result<void> add_opened() {
    TRY(add_opened(kOpenedInRun));
    return add_opened(kSettledInRun);
  }

  Result<void> add_refused() {
    ASSIGN_OR_RETURN(const auto some, all(connection_, kRefused, read_refusal, facts_.number));
    for (const auto& one : some) TRY(add(one.item, one.failInfo));
    return {};
  }

  Result<void> add_held(const std::vector<JobStatus>& held) {
    for (const auto& job : held) {
      ASSIGN_OR_RETURN(const auto fresh,
                       change(connection_, "INSERT OR IGNORE INTO run_held VALUES (?, ?, ?)",
                              job.id.octets, facts_.number, job.envelope.channel));
      if (fresh == 1) {
        TRY(add(held_item(job), {}));
      } else {
        ++facts_.held_before;
      }
    }
    return {};
  }

  Result<void> finish() {
    const auto number = facts_.number;
    const auto count = [&](const char* sql) {
      return only(connection_, sql, column<std::uint64_t>, number);
    };
    ASSIGN_OR_RETURN(const auto messages, count(kAllMessages));
    ASSIGN_OR_RETURN(const auto batches, count(kBatches));
    ASSIGN_OR_RETURN(const auto before, count(kOpenedBefore));
    facts_.follow_ups = messages + before - std::min(messages + before, opened_ + batches);
    ASSIGN_OR_RETURN(const auto unlisted,
                     one(connection_, "SELECT refused FROM run_unlisted WHERE run = ?",
                         column<std::uint64_t>, number));
    facts_.unlisted = unlisted.value_or(0);
    ASSIGN_OR_RETURN(facts_.undecided_before,
                     only(connection_, kUndecidedBefore, column<std::uint64_t>,
                          to_string(PartState::undecided), number));
    sort_reasons();
    fill_hours();
    return {};
  }

  void note_opened() { opened_ = number_; }

 private:
  Result<void> add_opened(const char* sql) {
    for (std::int64_t after = 0;;) {
      ASSIGN_OR_RETURN(auto some, all(connection_, sql, read_opened, facts_.number, after));
      if (some.empty()) return {};
      for (auto& one : some) {
        after = one.id;
        TRY(add_certificates(one));
        TRY(note_waiting(one));
        TRY(add(one.item, one.failInfo));
      }
    }
  }

  Result<void> add_certificates(Opened& one) {
    if (one.item.result == ItemResult::refused || one.item.result == ItemResult::waiting) return {};
    ASSIGN_OR_RETURN(const auto transaction, TransactionTable(connection_).find(one.transaction));
    if (!transaction) return {};
    for (const auto& certificate : transaction->certificates) {
      ASSIGN_OR_RETURN(const auto record, reader_.find(certificate.serial));
      if (!record) continue;
      const auto serial = serial_text(certificate.serial);
      one.item.serials.push_back(serial);
      one.item.profile = record->profile;
      ++facts_.issued;
      if (facts_.first_serial.empty()) facts_.first_serial = serial;
      facts_.last_serial = serial;
    }
    return {};
  }

  Result<void> note_waiting(const Opened& one) {
    if (one.item.result != ItemResult::waiting) return {};
    ASSIGN_OR_RETURN(
        const auto above,
        only(connection_, "SELECT EXISTS (SELECT 1 FROM wait_part WHERE tx = ? AND state = ?)",
             column<bool>, one.transaction, to_string(PartState::upstream)));
    facts_.waiting_above += above ? 1 : 0;
    return {};
  }

  Result<void> add(const RunItem& item, const std::string& failInfo) {
    ++facts_.counts[item.result];
    ++hours_[std::chrono::floor<std::chrono::hours>(item.at)][item.result];
    const bool granted = item.result == ItemResult::granted || item.result == ItemResult::changed;
    if (granted && item.body == "rr") ++facts_.revoked;
    if (item.result == ItemResult::refused) ++reasons_[failInfo.empty() ? "no answer" : failInfo];
    const auto channel = std::ranges::find(facts_.channels, item.channel, &RunFacts::Channel::name);
    if (channel != facts_.channels.end()) ++channel->counts[item.result];
    TRY(change(connection_, "INSERT INTO run_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               facts_.number, ++number_, item.at, to_string(item.result), item.channel, item.source,
               from_hex(item.transactionID).value_or(Bytes()), item.body, item.requester,
               item.subject, joined(item.serials, " "), item.profile, item.reason));
    return {};
  }

  void sort_reasons() {
    facts_.reasons.assign(reasons_.begin(), reasons_.end());
    std::ranges::stable_sort(facts_.reasons, std::ranges::greater(),
                             [](const auto& one) { return one.second; });
  }

  // Of a run that lay for weeks between its parts not each hour is told.
  void fill_hours() {
    constexpr std::size_t kMostHours = 24 * 8;
    for (const auto& [hour, counts] : hours_) {
      while (!facts_.hours.empty() && facts_.hours.back().first + 1h < hour &&
             facts_.hours.size() < kMostHours) {
        facts_.hours.emplace_back(facts_.hours.back().first + 1h, RunCounts{});
      }
      facts_.hours.emplace_back(hour, counts);
    }
  }

  Connection& connection_;
  LedgerReader reader_;
  RunFacts& facts_;
  std::int64_t number_ = 0;
  std::uint64_t opened_ = 0;
  std::map<Time, RunCounts> hours_;
  std::map<std::string, std::uint64_t> reasons_;
};

std::vector<std::string> serials_in(std::string_view text) {
  std::vector<std::string> serials;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    serials.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return serials;
}

Result<RunItem> read_item(Row& row) {
  RunItem item;
  row.into(item.at);
  const auto word = row.next<std::string>();
  row.into(item.channel, item.source);
  item.transactionID = to_hex(row.next<ByteView>());
  row.into(item.body, item.requester, item.subject);
  item.serials = serials_in(row.next<std::string_view>());
  row.into(item.profile, item.reason);
  const auto result = item_result(word);
  if (!result) return hold("the ledger has an item of a run that came to " + printable(word));
  item.result = *result;
  return item;
}

}  // namespace

Result<void> gather_items(LedgerWriter& writer, const std::vector<JobStatus>& held,
                          RunFacts& facts) {
  Gathering gathering(writer, facts);
  TRY(gathering.add_opened());
  gathering.note_opened();
  TRY(gathering.add_refused());
  TRY(gathering.add_held(held));
  return gathering.finish();
}

Result<void> note_held_before(LedgerWriter& writer, const std::vector<std::string>& channels,
                              const std::vector<JobStatus>& held) {
  auto& connection = writer.connection();
  std::set<Bytes> now;
  for (const auto& job : held) {
    now.insert(to_bytes(ByteView(job.id.octets)));
    TRY(change(connection, "INSERT OR IGNORE INTO run_held VALUES (?, 0, ?)", job.id.octets,
               job.envelope.channel));
  }
  for (const auto& channel : channels) {
    ASSIGN_OR_RETURN(const auto noted, all(connection, "SELECT job FROM run_held WHERE channel = ?",
                                           column<Bytes>, channel));
    for (const auto& job : noted) {
      if (!now.contains(job)) TRY(change(connection, "DELETE FROM run_held WHERE job = ?", job));
    }
  }
  return {};
}

Result<std::uint64_t> count_newly_held(Connection& connection, const std::vector<JobStatus>& held) {
  std::uint64_t fresh = 0;
  for (const auto& job : held) {
    ASSIGN_OR_RETURN(const auto known,
                     only(connection, "SELECT EXISTS (SELECT 1 FROM run_held WHERE job = ?)",
                          column<bool>, job.id.octets));
    fresh += known ? 0 : 1;
  }
  return fresh;
}

Result<void> for_each_item(Connection& connection, std::int64_t run,
                           const std::function<Result<void>(const RunItem&)>& each_item) {
  const auto visit = [&](Row& row) -> Result<void> {
    ASSIGN_OR_RETURN(const auto item, read_item(row));
    return each_item(item);
  };
  return each(connection,
              "SELECT at, result, channel, source, tid, body, requester, subject, serials, "
              "profile, reason FROM run_item WHERE run = ? ORDER BY number",
              visit, run);
}

}  // namespace cmpost
