#include "processor/transaction/transaction_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "processor/transaction/run_of_channel.h"
#include "store/rows.h"

namespace cmpost {

std::string_view to_string(TransactionState state) {
  switch (state) {
    case TransactionState::challenged:
      return "challenged";
    case TransactionState::waiting:
      return "waiting";
    case TransactionState::open:
      return "open";
    default:
      return "closed";
  }
}

std::optional<TransactionState> transaction_state(std::string_view text) {
  for (const auto state : {TransactionState::challenged, TransactionState::waiting,
                           TransactionState::open, TransactionState::closed}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_string(MessageResult result) {
  static constexpr std::array<std::string_view, 5> kWords = {"granted", "changed", "partly",
                                                             "waiting", "refused"};
  return kWords[static_cast<std::size_t>(result)];
}

std::optional<MessageResult> message_result(std::string_view text) {
  for (const auto result : {MessageResult::granted, MessageResult::changed, MessageResult::partly,
                            MessageResult::waiting, MessageResult::refused}) {
    if (to_string(result) == text) return result;
  }
  return std::nullopt;
}

bool Transaction::awaits_confirm() const {
  return std::ranges::any_of(certificates, &TransactionCertificate::awaits_confirm);
}
bool Transaction::is_settled() const {
  return std::ranges::all_of(certificates, &TransactionCertificate::settled);
}

bool Transaction::awaits_requester() const {
  return state == TransactionState::challenged || awaits_confirm();
}

namespace {

std::int64_t key_of(ByteView transactionID) {
  const auto digest = sha256(transactionID);
  std::int64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

constexpr std::string_view kSettled = "=", kReady = "+", kConfirmed = "~";
std::string_view mark(const TransactionCertificate& certificate) {
  if (certificate.settled) return kSettled;
  switch (certificate.delivery) {
    case IssueState::ready:
      return kReady;
    case IssueState::confirmed:
      return kConfirmed;
    default:
      return "";
  }
}

bool take_mark(std::string_view& item, std::string_view mark) {
  if (!item.ends_with(mark)) return false;
  item.remove_suffix(mark.size());
  return true;
}

// "0:0a1b;1:0a1c=": the second is settled.
std::string spell(const std::vector<TransactionCertificate>& certificates) {
  std::string text;
  for (const auto& certificate : certificates) {
    if (!text.empty()) text += ';';
    text += std::to_string(certificate.certReqId) + ':' + to_hex(certificate.serial);
    text += mark(certificate);
  }
  return text;
}

Result<std::vector<TransactionCertificate>> read_certificates(std::string_view text) {
  std::vector<TransactionCertificate> certificates;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    auto item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto colon = item.find(':');
    TransactionCertificate certificate;
    certificate.settled = take_mark(item, kSettled);
    if (take_mark(item, kReady)) certificate.delivery = IssueState::ready;
    if (take_mark(item, kConfirmed)) certificate.delivery = IssueState::confirmed;
    const auto number =
        std::from_chars(item.data(), item.data() + item.size(), certificate.certReqId);
    const auto serial = colon < item.size() ? from_hex(item.substr(colon + 1)) : std::nullopt;
    if (number.ec != std::errc() || !serial) {
      return hold("the ledger has a transaction with unreadable certificates: " + printable(item),
                  "restore the ledger from a backup");
    }
    certificate.serial = *serial;
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

constexpr std::string_view kColumns =
    "id, tid, channel, state, body, pvno, credential, our_nonce, certificates, old_serial, "
    "confirm_by, opened, reply, batch, requester, subject, came_as";

std::string select(std::string_view where) {
  return "SELECT " + std::string(kColumns) + " FROM tx WHERE " + std::string(where);
}

Result<Transaction> read_transaction(Row& row) {
  Transaction transaction;
  row.into(transaction.id, transaction.transactionID, transaction.channel);
  const auto state_text = row.next<std::string_view>();
  const auto state = transaction_state(state_text);
  if (!state) return hold("the ledger has a transaction in the state " + printable(state_text));
  transaction.state = *state;
  row.into(transaction.body, transaction.pvno, transaction.credential, transaction.our_nonce);
  ASSIGN_OR_RETURN(transaction.certificates, read_certificates(row.next<std::string_view>()));
  row.into(transaction.old_serial, transaction.confirm_by, transaction.opened, transaction.reply,
           transaction.batch, transaction.requester, transaction.subject, transaction.source);
  return transaction;
}

constexpr const char* kMessageColumns =
    "SELECT digest, channel, body, outcome, reply_body, request, reply, pieces, sealed, source, "
    "at, job "
    "FROM message WHERE tx = ?";

// "120 5001+10000 95": 120 octets, the answers in 10 000 messages from row 5001 on, 95 octets.
std::string spell(const std::vector<ReplyPiece>& pieces) {
  std::string text;
  for (const auto& piece : pieces) {
    if (!text.empty()) text += ' ';
    if (!piece.own) text += std::to_string(piece.first) + '+';
    text += std::to_string(piece.count);
  }
  return text;
}

std::optional<std::int64_t> read_count(std::string_view& text) {
  std::int64_t count = 0;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), count);
  if (number.ec != std::errc() || count < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(number.ptr - text.data()));
  return count;
}

// nullopt: not spelled like that.
std::optional<std::vector<ReplyPiece>> read_pieces(std::string_view text) {
  std::vector<ReplyPiece> pieces;
  while (!text.empty()) {
    if (!pieces.empty() && text.front() == ' ') text.remove_prefix(1);
    ReplyPiece piece;
    const auto count = read_count(text);
    if (!count) return std::nullopt;
    piece.count = *count;
    if (text.starts_with('+')) {
      text.remove_prefix(1);
      const auto messages = read_count(text);
      if (!messages) return std::nullopt;
      piece = {false, *count, *messages};
    }
    pieces.push_back(piece);
  }
  return pieces;
}

// With `pieces` of its answer, see complete().
Result<StoredMessage> read_message(Row& row) {
  StoredMessage message;
  row.into(message.digest, message.channel, message.body, message.outcome, message.reply_body,
           message.request, message.reply);
  const auto pieces_text = row.next<std::string_view>();
  auto pieces = read_pieces(pieces_text);
  if (!pieces) {
    return hold("the ledger has an answer in unreadable pieces: " + printable(pieces_text),
                "restore the ledger from a backup");
  }
  message.pieces = *std::move(pieces);
  row.into(message.sealed, message.source, message.at, message.job);
  return message;
}

// The answers in a run of messages, one after the other; how many there were.
Result<std::int64_t> append_replies(Connection& connection, const ReplyPiece& run, Bytes& whole) {
  std::int64_t count = 0;
  const auto add = [&](Row& row) {
    append(whole, row.next<ByteView>());
    ++count;
  };
  TRY(each(connection, "SELECT reply FROM message WHERE id >= ? AND id < ? ORDER BY id", add,
           run.first, run.first + run.count));
  return count;
}

}  // namespace

// Puts an answer together from its pieces. False: some of them are not there any more, and there is
// no answer.
Result<bool> TransactionTable::complete(StoredMessage& message) {
  if (message.pieces.empty()) return true;
  const auto pieces = std::exchange(message.pieces, {});
  const auto octets = std::exchange(message.reply, {});
  Bytes whole;
  ByteView own = octets;
  for (const auto& piece : pieces) {
    if (!piece.own) {
      ASSIGN_OR_RETURN(const auto count, append_replies(connection_, piece, whole));
      if (count != piece.count) return false;
      continue;
    }
    const auto size = static_cast<std::size_t>(piece.count);
    if (size > own.size()) return hold("the ledger has an answer that lacks octets");
    append(whole, own.first(size));
    own = own.subspan(size);
  }
  message.reply = std::move(whole);
  return true;
}

Result<std::optional<Transaction>> TransactionTable::find(ByteView transactionID) {
  static const auto kSql = select("tid_key = ? AND tid = ?");
  return one(connection_, kSql, read_transaction, key_of(transactionID), transactionID);
}

Result<std::optional<Transaction>> TransactionTable::find(std::int64_t id) {
  static const auto kSql = select("id = ?");
  return one(connection_, kSql, read_transaction, id);
}

Result<std::optional<StoredMessage>> TransactionTable::message(std::int64_t transaction,
                                                               const Sha256& digest) {
  static const auto kSql = std::string(kMessageColumns) + " AND digest = ?";
  ASSIGN_OR_RETURN(auto message, one(connection_, kSql, read_message, transaction, digest));
  if (!message) return std::nullopt;
  ASSIGN_OR_RETURN(const bool whole, complete(*message));
  if (!whole) return std::nullopt;
  return message;
}

Result<std::vector<StoredMessage>> TransactionTable::messages(std::int64_t transaction) {
  static const auto kSql = std::string(kMessageColumns) + " ORDER BY id";
  ASSIGN_OR_RETURN(auto messages, all(connection_, kSql, read_message, transaction));
  for (auto& message : messages) TRY(complete(message));
  return messages;
}

Result<std::optional<StoredMessage>> TransactionTable::first_message(std::int64_t transaction) {
  static const auto kSql = std::string(kMessageColumns) + " ORDER BY id LIMIT 1";
  ASSIGN_OR_RETURN(auto message, one(connection_, kSql, read_message, transaction));
  if (message) TRY(complete(*message));
  return message;
}

Result<std::vector<TransactionTable::OpenRenewal>> TransactionTable::open_renewals(
    ByteView serial, std::int64_t but) {
  return all(
      connection_,
      "SELECT state, channel FROM tx WHERE state <> 'closed' AND old_serial <> x'' AND "
      "old_serial = ? AND id <> ?",
      [](Row& row) -> Result<OpenRenewal> {
        OpenRenewal renewal;
        const auto text = row.next<std::string_view>();
        const auto state = transaction_state(text);
        if (!state) return hold("the ledger has a transaction in the state " + printable(text));
        renewal.state = *state;
        renewal.channel = row.next<std::string>();
        return renewal;
      },
      serial, but);
}

Result<std::vector<Transaction>> TransactionTable::overdue(Time now, const Transaction* after,
                                                           std::size_t limit) {
  static const auto kSql = select(
      "state <> 'closed' AND confirm_by IS NOT NULL AND confirm_by <= ? AND "
      "(confirm_by, id) > (?, ?) ORDER BY confirm_by, id LIMIT ?");
  const auto from = after == nullptr ? Time::min() : after->confirm_by.value_or(Time::min());
  return all(connection_, kSql, read_transaction, now, from, after == nullptr ? 0 : after->id,
             limit);
}

Result<std::vector<Transaction>> TransactionTable::unsent(std::int64_t after, std::size_t limit) {
  static const auto kSql =
      select("state <> 'closed' AND reply <> x'' AND id > ? ORDER BY id LIMIT ?");
  return all(connection_, kSql, read_transaction, after, limit);
}

Result<std::vector<Transaction>> TransactionTable::of_batch(ByteView batch) {
  static const auto kSql = select("state <> 'closed' AND batch <> x'' AND batch = ? ORDER BY id");
  return all(connection_, kSql, read_transaction, batch);
}

Result<TransactionTable::Ageing> TransactionTable::ageing() {
  Ageing ageing;
  const auto add = [&](Row& row) {
    const auto state = row.next<std::string_view>();
    const bool open = state == "open";
    // Who was challenged owes us a message, too.
    const bool waiting = state == "waiting";
    auto& count = waiting ? ageing.waiting : ageing.open;
    auto& oldest = waiting ? ageing.oldest_waiting : ageing.oldest_open;
    count += row.next<std::size_t>();
    const auto since = row.next<Time>();
    if (!oldest || since < *oldest) oldest = since;
    const auto alarms = row.next<std::size_t>();
    if (open) ageing.alarms = alarms;
  };
  TRY(each(connection_,
           "SELECT state, count(*), min(opened), sum(confirm_by IS NULL AND reply = x'') "
           "FROM tx WHERE state <> 'closed' GROUP BY state",
           add));
  return ageing;
}

Result<std::optional<std::int64_t>> TransactionTable::open(const Transaction& transaction) {
  const auto key = key_of(transaction.transactionID);
  ASSIGN_OR_RETURN(const bool taken,
                   any(connection_, "SELECT 1 FROM tx WHERE tid_key = ? AND tid = ?", key,
                       transaction.transactionID));
  if (taken) return std::nullopt;
  TRY(change(connection_,
             "INSERT INTO tx (tid_key, tid, channel, state, body, pvno, credential, our_nonce, "
             "certificates, old_serial, confirm_by, opened, reply, batch, requester, subject, "
             "came_as) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             key, transaction.transactionID, transaction.channel, to_string(transaction.state),
             transaction.body, transaction.pvno, transaction.credential, transaction.our_nonce,
             spell(transaction.certificates), transaction.old_serial, transaction.confirm_by,
             transaction.opened, transaction.reply, transaction.batch, transaction.requester,
             transaction.subject, transaction.source));
  return connection_.last_insert_id();
}

Result<bool> TransactionTable::advance(const Transaction& after, TransactionState before) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          "UPDATE tx SET state = ?, our_nonce = ?, certificates = ?, "
                          "confirm_by = ?, reply = ? WHERE id = ? AND state = ?",
                          to_string(after.state), after.our_nonce, spell(after.certificates),
                          after.confirm_by, after.reply, after.id, to_string(before)));
  return changed == 1;
}

Result<bool> TransactionTable::start_timer(std::int64_t id, ByteView reply, Time confirm_by) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          "UPDATE tx SET confirm_by = ?, reply = x'' WHERE id = ? AND reply = ? "
                          "AND state <> 'closed'",
                          confirm_by, id, reply));
  return changed == 1;
}

Result<std::int64_t> TransactionTable::add(std::int64_t transaction, const StoredMessage& message,
                                           Time at) {
  TRY(change(connection_,
             "INSERT INTO message (tx, digest, channel, at, body, outcome, reply_body, request, "
             "reply, pieces, sealed, source, job, result, fail_info, run) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " RUN_OF_CHANNEL ")",
             transaction, message.digest, message.channel, at, message.body, message.outcome,
             message.reply_body, message.request, message.reply, spell(message.pieces),
             message.sealed, message.source, message.job, to_string(message.result),
             message.failInfo, message.channel));
  return connection_.last_insert_id();
}

Result<void> TransactionTable::set_reply(std::int64_t transaction, const StoredMessage& message) {
  TRY(change(connection_,
             "UPDATE message SET reply_body = ?, reply = ?, outcome = ?, result = ?, "
             "fail_info = ?, settled_run = " RUN_OF_CHANNEL
             " WHERE tx = ? AND digest = ? AND reply_body = ''",
             message.reply_body, message.reply, message.outcome, to_string(message.result),
             message.failInfo, message.channel, transaction, message.digest));
  return {};
}

Result<void> TransactionTable::set_outcome(std::int64_t transaction, const Sha256& digest,
                                           const Settled& settled) {
  TRY(change(connection_,
             "UPDATE message SET outcome = ?, result = ?, fail_info = ?, settled_run = "
             "ifnull((SELECT run FROM run_channel WHERE run_channel.channel = message.channel), 0) "
             "WHERE tx = ? AND digest = ?",
             settled.outcome, to_string(settled.result), settled.failInfo, transaction, digest));
  return {};
}

Result<void> TransactionTable::add_name(std::int64_t transaction, std::string_view came_as) {
  constexpr int kMost = 20;
  TRY(change(connection_,
             "INSERT OR IGNORE INTO also_came_as SELECT id, ?1 FROM tx WHERE id = ?2 AND "
             "came_as <> ?1 AND (SELECT count(*) FROM also_came_as WHERE tx = ?2) < ?3",
             came_as, transaction, kMost));
  return {};
}

Result<std::vector<std::string>> TransactionTable::other_names(std::int64_t transaction) {
  return all(connection_, "SELECT came_as FROM also_came_as WHERE tx = ? ORDER BY came_as",
             column<std::string>, transaction);
}

}  // namespace cmpost
