#include "processor/transaction/transaction_table.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

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

bool Transaction::awaits_confirm() const {
  return std::ranges::any_of(certificates, [](const auto& one) { return !one.settled; });
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

// "0:0a1b;1:0a1c=": the second is settled.
std::string spell(const std::vector<TransactionCertificate>& certificates) {
  std::string text;
  for (const auto& certificate : certificates) {
    if (!text.empty()) text += ';';
    text += std::to_string(certificate.certReqId) + ':' + to_hex(certificate.serial);
    if (certificate.settled) text += '=';
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
    certificate.settled = item.ends_with('=');
    if (certificate.settled) item.remove_suffix(1);
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

Result<Transaction> read_transaction(const Statement& row) {
  Transaction transaction;
  transaction.id = row.integer(0);
  transaction.transactionID = to_bytes(row.blob(1));
  transaction.channel = row.text(2);
  const auto state = transaction_state(row.text(3));
  if (!state) return hold("the ledger has a transaction in the state " + printable(row.text(3)));
  transaction.state = *state;
  transaction.body = row.text(4);
  transaction.pvno = row.integer(5);
  transaction.credential = row.text(6);
  transaction.our_nonce = to_bytes(row.blob(7));
  ASSIGN_OR_RETURN(transaction.certificates, read_certificates(row.text(8)));
  transaction.old_serial = to_bytes(row.blob(9));
  if (!row.is_null(10)) transaction.confirm_by = from_unix_micros(row.integer(10));
  transaction.opened = from_unix_micros(row.integer(11));
  transaction.reply = to_bytes(row.blob(12));
  transaction.batch = to_bytes(row.blob(13));
  transaction.requester = row.text(14);
  transaction.subject = row.text(15);
  transaction.source = row.text(16);
  return transaction;
}

Result<std::vector<Transaction>> read_all(Statement& rows) {
  std::vector<Transaction> transactions;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.step());
    if (!found) return transactions;
    ASSIGN_OR_RETURN(auto transaction, read_transaction(rows));
    transactions.push_back(std::move(transaction));
  }
}

constexpr const char* kMessageColumns =
    "SELECT digest, channel, body, outcome, reply_body, request, reply, pieces, sealed, source, at "
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
Result<StoredMessage> read_message(const Statement& row) {
  StoredMessage message;
  const auto digest = row.blob(0);
  if (digest.size() == message.digest.size()) {
    std::memcpy(message.digest.data(), digest.data(), digest.size());
  }
  message.channel = row.text(1);
  message.body = row.text(2);
  message.outcome = row.text(3);
  message.reply_body = row.text(4);
  message.request = to_bytes(row.blob(5));
  message.reply = to_bytes(row.blob(6));
  message.sealed = row.integer(8) != 0;
  message.source = row.text(9);
  message.at = from_unix_micros(row.integer(10));
  auto pieces = read_pieces(row.text(7));
  if (!pieces) {
    return hold("the ledger has an answer in unreadable pieces: " + printable(row.text(7)),
                "restore the ledger from a backup");
  }
  message.pieces = *std::move(pieces);
  return message;
}

// The answers in a run of messages, one after the other; how many there were.
Result<std::int64_t> append_replies(Connection& connection, const ReplyPiece& run, Bytes& whole) {
  ASSIGN_OR_RETURN(auto* const rows,
                   connection.statement("SELECT reply FROM message WHERE id >= ? AND id < ? "
                                        "ORDER BY id"));
  rows->bind(1, run.first);
  rows->bind(2, run.first + run.count);
  for (std::int64_t count = 0;; ++count) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) return count;
    append(whole, rows->blob(0));
  }
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
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, key_of(transactionID));
  rows->bind(2, transactionID);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto transaction = read_transaction(*rows);
  rows->reset();
  return transaction;
}

Result<std::optional<Transaction>> TransactionTable::find(std::int64_t id) {
  static const auto kSql = select("id = ?");
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, id);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto transaction = read_transaction(*rows);
  rows->reset();
  return transaction;
}

Result<std::optional<StoredMessage>> TransactionTable::message(std::int64_t transaction,
                                                               const Sha256& digest) {
  static const auto kSql = std::string(kMessageColumns) + " AND digest = ?";
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, transaction);
  rows->bind(2, ByteView(digest));
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto message = read_message(*rows);
  rows->reset();
  TRY(message);
  ASSIGN_OR_RETURN(const bool whole, complete(*message));
  if (!whole) return std::nullopt;
  return *std::move(message);
}

Result<std::vector<StoredMessage>> TransactionTable::messages(std::int64_t transaction) {
  static const auto kSql = std::string(kMessageColumns) + " ORDER BY id";
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, transaction);
  std::vector<StoredMessage> messages;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) break;
    ASSIGN_OR_RETURN(auto message, read_message(*rows));
    messages.push_back(std::move(message));
  }
  for (auto& message : messages) TRY(complete(message));
  return messages;
}

Result<std::optional<StoredMessage>> TransactionTable::first_message(std::int64_t transaction) {
  static const auto kSql = std::string(kMessageColumns) + " ORDER BY id LIMIT 1";
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, transaction);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto message = read_message(*rows);
  rows->reset();
  TRY(message);
  TRY(complete(*message));
  return *std::move(message);
}

Result<bool> TransactionTable::being_renewed(ByteView serial, std::int64_t but) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT 1 FROM tx WHERE state <> 'closed' AND old_serial <> x'' AND "
                            "old_serial = ? AND id <> ?"));
  rows->bind(1, serial);
  rows->bind(2, but);
  const auto found = rows->step();
  rows->reset();
  return found;
}

Result<std::vector<Transaction>> TransactionTable::overdue(Time now, std::size_t limit) {
  static const auto kSql = select(
      "state <> 'closed' AND confirm_by IS NOT NULL AND confirm_by <= ? ORDER BY confirm_by "
      "LIMIT ?");
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, to_unix_micros(now));
  rows->bind(2, static_cast<std::int64_t>(limit));
  return read_all(*rows);
}

Result<std::vector<Transaction>> TransactionTable::unsent(std::int64_t after, std::size_t limit) {
  static const auto kSql =
      select("state <> 'closed' AND reply <> x'' AND id > ? ORDER BY id LIMIT ?");
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, after);
  rows->bind(2, static_cast<std::int64_t>(limit));
  return read_all(*rows);
}

Result<std::vector<Transaction>> TransactionTable::of_batch(ByteView batch) {
  static const auto kSql = select("state <> 'closed' AND batch <> x'' AND batch = ? ORDER BY id");
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSql));
  rows->bind(1, batch);
  return read_all(*rows);
}

Result<std::vector<Transaction>> TransactionTable::newest(std::optional<TransactionState> state,
                                                          std::size_t limit) {
  static const auto kAll = select("TRUE ORDER BY id DESC LIMIT ?");
  static const auto kLive = select("state = ? AND state <> 'closed' ORDER BY id DESC LIMIT ?");
  static const auto kClosed = select("state = ? ORDER BY id DESC LIMIT ?");
  const auto& sql = !state ? kAll : *state == TransactionState::closed ? kClosed : kLive;
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(sql));
  if (state) rows->bind(1, to_string(*state));
  rows->bind(state ? 2 : 1, static_cast<std::int64_t>(limit));
  return read_all(*rows);
}

Result<TransactionTable::Ageing> TransactionTable::ageing() {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement(
          "SELECT state, count(*), min(opened), sum(confirm_by IS NULL AND reply = x'') "
          "FROM tx WHERE state <> 'closed' GROUP BY state"));
  Ageing ageing;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) return ageing;
    const bool open = rows->text(0) == "open";
    // Who was challenged owes us a message, too.
    const bool waiting = rows->text(0) == "waiting";
    auto& count = waiting ? ageing.waiting : ageing.open;
    auto& oldest = waiting ? ageing.oldest_waiting : ageing.oldest_open;
    const auto since = from_unix_micros(rows->integer(2));
    count += static_cast<std::size_t>(rows->integer(1));
    if (!oldest || since < *oldest) oldest = since;
    if (open) ageing.alarms = static_cast<std::size_t>(rows->integer(3));
  }
}

Result<std::optional<std::int64_t>> TransactionTable::open(const Transaction& transaction) {
  const auto key = key_of(transaction.transactionID);
  ASSIGN_OR_RETURN(auto* const rows,
                   connection_.statement("SELECT 1 FROM tx WHERE tid_key = ? AND tid = ?"));
  rows->bind(1, key);
  rows->bind(2, ByteView(transaction.transactionID));
  const auto taken = rows->step();
  rows->reset();
  TRY(taken);
  if (*taken) return std::nullopt;

  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement(
                       "INSERT INTO tx (tid_key, tid, channel, state, body, pvno, credential, "
                       "our_nonce, certificates, old_serial, confirm_by, opened, reply, batch, "
                       "requester, subject, came_as) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const auto certificates = spell(transaction.certificates);
  insert->bind(1, key);
  insert->bind(2, ByteView(transaction.transactionID));
  insert->bind(3, std::string_view(transaction.channel));
  insert->bind(4, to_string(transaction.state));
  insert->bind(5, std::string_view(transaction.body));
  insert->bind(6, transaction.pvno);
  insert->bind(7, std::string_view(transaction.credential));
  insert->bind(8, ByteView(transaction.our_nonce));
  insert->bind(9, std::string_view(certificates));
  insert->bind(10, ByteView(transaction.old_serial));
  if (transaction.confirm_by) {
    insert->bind(11, to_unix_micros(*transaction.confirm_by));
  } else {
    insert->bind_null(11);
  }
  insert->bind(12, to_unix_micros(transaction.opened));
  insert->bind(13, ByteView(transaction.reply));
  insert->bind(14, ByteView(transaction.batch));
  insert->bind(15, std::string_view(transaction.requester));
  insert->bind(16, std::string_view(transaction.subject));
  insert->bind(17, std::string_view(transaction.source));
  TRY(insert->execute());
  return connection_.last_insert_id();
}

Result<bool> TransactionTable::advance(const Transaction& after, TransactionState before) {
  ASSIGN_OR_RETURN(
      auto* const update,
      connection_.statement("UPDATE tx SET state = ?, our_nonce = ?, certificates = ?, "
                            "confirm_by = ?, reply = ? WHERE id = ? AND state = ?"));
  const auto certificates = spell(after.certificates);
  update->bind(1, to_string(after.state));
  update->bind(2, ByteView(after.our_nonce));
  update->bind(3, std::string_view(certificates));
  if (after.confirm_by) {
    update->bind(4, to_unix_micros(*after.confirm_by));
  } else {
    update->bind_null(4);
  }
  update->bind(5, ByteView(after.reply));
  update->bind(6, after.id);
  update->bind(7, to_string(before));
  ASSIGN_OR_RETURN(const auto changed, update->execute());
  return changed == 1;
}

Result<bool> TransactionTable::start_timer(std::int64_t id, ByteView reply, Time confirm_by) {
  ASSIGN_OR_RETURN(auto* const update,
                   connection_.statement("UPDATE tx SET confirm_by = ?, reply = x'' WHERE id = ? "
                                         "AND reply = ? AND state <> 'closed'"));
  update->bind(1, to_unix_micros(confirm_by));
  update->bind(2, id);
  update->bind(3, reply);
  ASSIGN_OR_RETURN(const auto changed, update->execute());
  return changed == 1;
}

Result<std::int64_t> TransactionTable::add(std::int64_t transaction, const StoredMessage& message,
                                           Time at) {
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement("INSERT INTO message (tx, digest, channel, at, body, outcome, "
                            "reply_body, request, reply, pieces, sealed, source) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const auto pieces = spell(message.pieces);
  insert->bind(1, transaction);
  insert->bind(2, ByteView(message.digest));
  insert->bind(3, std::string_view(message.channel));
  insert->bind(4, to_unix_micros(at));
  insert->bind(5, std::string_view(message.body));
  insert->bind(6, std::string_view(message.outcome));
  insert->bind(7, std::string_view(message.reply_body));
  insert->bind(8, ByteView(message.request));
  insert->bind(9, ByteView(message.reply));
  insert->bind(10, std::string_view(pieces));
  insert->bind(11, static_cast<std::int64_t>(message.sealed));
  insert->bind(12, std::string_view(message.source));
  TRY(insert->execute());
  return connection_.last_insert_id();
}

Result<void> TransactionTable::set_reply(std::int64_t transaction, const StoredMessage& message) {
  ASSIGN_OR_RETURN(
      auto* const update,
      connection_.statement("UPDATE message SET reply_body = ?, reply = ?, outcome = ? "
                            "WHERE tx = ? AND digest = ? AND reply_body = ''"));
  update->bind(1, std::string_view(message.reply_body));
  update->bind(2, ByteView(message.reply));
  update->bind(3, std::string_view(message.outcome));
  update->bind(4, transaction);
  update->bind(5, ByteView(message.digest));
  TRY(update->execute());
  return {};
}

Result<void> TransactionTable::set_outcome(std::int64_t transaction, const Sha256& digest,
                                           std::string_view outcome) {
  ASSIGN_OR_RETURN(
      auto* const update,
      connection_.statement("UPDATE message SET outcome = ? WHERE tx = ? AND digest = ?"));
  update->bind(1, outcome);
  update->bind(2, transaction);
  update->bind(3, ByteView(digest));
  TRY(update->execute());
  return {};
}

}  // namespace cmpost
