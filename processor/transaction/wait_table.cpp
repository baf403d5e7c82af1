#include "processor/transaction/wait_table.h"

#include "cmp/pki_message.h"

namespace cmpost {
namespace {

constexpr std::size_t kStoredNonce = 16;

// A body is kept as an unprotected message around it.
Bytes spell_body(const WaitingPart& part) {
  if (part.state != PartState::ready && part.state != PartState::delivered) return {};
  PKIHeader header;
  return encode(encode_protected_part(header, part.answer), std::nullopt, {});
}

Result<PKIBody> read_body(ByteView octets) {
  MessageLimits limits;
  limits.max_message = SIZE_MAX;
  auto message = decode(octets, limits);
  if (!message) {
    return hold("the ledger has an unreadable answer: " + message.error().text(),
                "restore the ledger from a backup");
  }
  return std::move(message->body);
}

Bytes spell_nonces(const std::vector<Bytes>& nonces) {
  Bytes all;
  for (const auto& nonce : nonces) all.insert(all.end(), nonce.begin(), nonce.end());
  return all;
}

std::vector<Bytes> read_nonces(ByteView all) {
  std::vector<Bytes> nonces;
  for (; all.size() >= kStoredNonce; all = all.subspan(kStoredNonce)) {
    nonces.push_back(to_bytes(all.first(kStoredNonce)));
  }
  return nonces;
}

void bind_time(Statement& statement, int index, const std::optional<Time>& time) {
  time ? statement.bind(index, to_unix_micros(*time)) : statement.bind_null(index);
}

std::optional<Time> time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix_micros(row.integer(column));
}

constexpr const char* kSelect =
    "SELECT version, received, interim_at, decide_by, told, implicit, asked, polls, nonces, "
    "source, "
    "reply_channel, reply_address, reply_name, in_reply_to, reply_references, pushed_body, pushed, "
    "channel FROM wait JOIN tx ON tx.id = wait.tx WHERE wait.tx = ?";

Waiting read_waiting(const Statement& row, std::int64_t transaction) {
  Waiting waiting;
  waiting.transaction = transaction;
  waiting.version = row.integer(0);
  waiting.received = from_unix_micros(row.integer(1));
  waiting.interim_at = time_at(row, 2);
  waiting.decide_by = time_at(row, 3);
  waiting.told = row.integer(4) != 0;
  waiting.implicitConfirm = row.integer(5) != 0;
  waiting.asked = time_at(row, 6);
  waiting.polls = row.integer(7);
  waiting.our_nonces = read_nonces(row.blob(8));
  auto& envelope = waiting.envelope;
  envelope.source = row.text(9);
  envelope.reply = {std::string(row.text(10)), std::string(row.text(11)), std::string(row.text(12)),
                    std::string(row.text(13)), std::string(row.text(14))};
  waiting.pushed_body = row.text(15);
  waiting.pushed = to_bytes(row.blob(16));
  envelope.channel = row.text(17);
  return waiting;
}

// What changes: parameters 1 to 9.
void bind_state(Statement& statement, const Waiting& waiting, const Bytes& nonces) {
  bind_time(statement, 1, waiting.interim_at);
  bind_time(statement, 2, waiting.decide_by);
  statement.bind(3, std::int64_t{waiting.told});
  statement.bind(4, std::int64_t{waiting.implicitConfirm});
  bind_time(statement, 5, waiting.asked);
  statement.bind(6, waiting.polls);
  statement.bind(7, ByteView(nonces));
  statement.bind(8, std::string_view(waiting.pushed_body));
  statement.bind(9, ByteView(waiting.pushed));
}

}  // namespace

Result<std::optional<Waiting>> WaitTable::find(std::int64_t transaction) {
  ASSIGN_OR_RETURN(auto* const rows, connection_.statement(kSelect));
  rows->bind(1, transaction);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto waiting = read_waiting(*rows, transaction);
  rows->reset();
  ASSIGN_OR_RETURN(waiting.parts, parts(transaction));
  return waiting;
}

Result<std::vector<WaitingPart>> WaitTable::parts(std::int64_t transaction) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT cert_req_id, state, subject, reason, answer, object, "
                            "round, why FROM wait_part WHERE tx = ? ORDER BY cert_req_id"));
  rows->bind(1, transaction);
  std::vector<WaitingPart> parts;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) return parts;
    auto& part = parts.emplace_back();
    part.certReqId = rows->integer(0);
    part.state = part_state(rows->text(1)).value_or(PartState::undecided);
    part.subject = rows->text(2);
    part.reason = rows->text(3);
    part.object = to_bytes(rows->blob(5));
    part.round = rows->integer(6);
    part.why = rows->text(7);
    if (rows->blob(4).empty()) continue;
    auto answer = read_body(rows->blob(4));
    if (!answer) rows->reset();
    ASSIGN_OR_RETURN(part.answer, std::move(answer));
  }
}

Result<void> WaitTable::put_parts(const Waiting& waiting) {
  ASSIGN_OR_RETURN(auto* const put, connection_.statement(
                                        "INSERT OR REPLACE INTO wait_part (tx, cert_req_id, state, "
                                        "subject, reason, answer, object, round, why) VALUES "
                                        "(?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  for (const auto& part : waiting.parts) {
    const auto answer = spell_body(part);
    put->bind(1, waiting.transaction);
    put->bind(2, part.certReqId);
    put->bind(3, to_string(part.state));
    put->bind(4, std::string_view(part.subject));
    put->bind(5, std::string_view(part.reason));
    put->bind(6, ByteView(answer));
    put->bind(7, ByteView(part.object));
    put->bind(8, part.round);
    put->bind(9, std::string_view(part.why));
    TRY(put->execute());
  }
  return {};
}

Result<void> WaitTable::add(const Waiting& waiting) {
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement(
          "INSERT INTO wait (interim_at, decide_by, told, implicit, asked, polls, nonces, "
          "pushed_body, pushed, tx, version, received, source, reply_channel, reply_address, "
          "reply_name, in_reply_to, reply_references) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const auto nonces = spell_nonces(waiting.our_nonces);
  bind_state(*insert, waiting, nonces);
  insert->bind(10, waiting.transaction);
  insert->bind(11, waiting.version);
  insert->bind(12, to_unix_micros(waiting.received));
  const auto& route = waiting.envelope.reply;
  int index = 13;
  for (const auto* text : {&waiting.envelope.source, &route.channel, &route.address, &route.name,
                           &route.in_reply_to, &route.references}) {
    insert->bind(index++, std::string_view(*text));
  }
  TRY(insert->execute());
  return put_parts(waiting);
}

Result<bool> WaitTable::replace(const Waiting& after, Parts parts) {
  ASSIGN_OR_RETURN(auto* const update,
                   connection_.statement(
                       "UPDATE wait SET interim_at = ?, decide_by = ?, told = ?, implicit = ?, "
                       "asked = ?, polls = ?, nonces = ?, pushed_body = ?, pushed = ?, "
                       "version = version + 1 WHERE tx = ? AND version = ?"));
  const auto nonces = spell_nonces(after.our_nonces);
  bind_state(*update, after, nonces);
  update->bind(10, after.transaction);
  update->bind(11, after.version - 1);
  ASSIGN_OR_RETURN(const auto changed, update->execute());
  if (changed != 1) return false;
  if (parts == Parts::changed) TRY(put_parts(after));
  return true;
}

Result<std::vector<std::int64_t>> WaitTable::due(Time now, std::size_t limit) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement(
          "SELECT tx FROM wait_part WHERE state IN ('undecided', 'approved', 'rejected') AND state "
          "IN ('approved', 'rejected') "
          "UNION SELECT tx FROM wait WHERE interim_at IS NOT NULL AND interim_at <= ?1 "
          "UNION SELECT tx FROM wait WHERE decide_by IS NOT NULL AND decide_by <= ?1 "
          "ORDER BY tx LIMIT ?2"));
  rows->bind(1, to_unix_micros(now));
  rows->bind(2, static_cast<std::int64_t>(limit));
  std::vector<std::int64_t> found;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows->step());
    if (!row) return found;
    found.push_back(rows->integer(0));
  }
}

Result<WaitTable::Backlog> WaitTable::backlog() {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement(
          "SELECT count(*), min(received) FROM wait WHERE tx IN (SELECT tx FROM wait_part WHERE "
          "state IN ('undecided', 'approved', 'rejected') AND state = 'undecided')"));
  ASSIGN_OR_RETURN(const bool row, rows->step());
  CHECK(row);
  const Backlog backlog{static_cast<std::size_t>(rows->integer(0)), time_at(*rows, 1)};
  rows->reset();
  return backlog;
}

Result<void> WaitTable::add(std::int64_t transaction, const Vote& verdict) {
  ASSIGN_OR_RETURN(auto* const insert,
                   connection_.statement("INSERT INTO verdict (tx, cert_req_id, approves, who, at, "
                                         "reason, object, round, account) VALUES (?, ?, ?, ?, ?, "
                                         "?, ?, ?, ?)"));
  insert->bind(1, transaction);
  insert->bind(2, verdict.certReqId);
  insert->bind(3, std::int64_t{verdict.approves});
  insert->bind(4, std::string_view(verdict.who));
  insert->bind(5, to_unix_micros(verdict.at));
  insert->bind(6, std::string_view(verdict.reason));
  insert->bind(7, ByteView(verdict.object));
  insert->bind(8, verdict.round);
  insert->bind(9, std::string_view(verdict.account));
  TRY(insert->execute());
  return {};
}

Result<std::vector<Vote>> WaitTable::verdicts(std::int64_t transaction) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT cert_req_id, approves, who, at, reason, object, round, "
                            "account FROM verdict WHERE tx = ? ORDER BY id"));
  rows->bind(1, transaction);
  std::vector<Vote> verdicts;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows->step());
    if (!row) return verdicts;
    verdicts.push_back({rows->integer(0), rows->integer(1) != 0, std::string(rows->text(2)),
                        std::string(rows->text(7)), from_unix_micros(rows->integer(3)),
                        std::string(rows->text(4)), to_bytes(rows->blob(5)), rows->integer(6)});
  }
}

}  // namespace cmpost
