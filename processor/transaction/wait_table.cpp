#include "processor/transaction/wait_table.h"

#include <tuple>

#include "cmp/pki_message.h"
#include "store/rows.h"

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

constexpr const char* kSelect =
    "SELECT version, received, interim_at, decide_by, told, implicit, asked, polls, nonces, "
    "source, "
    "reply_channel, reply_address, reply_name, in_reply_to, reply_references, pushed_body, pushed, "
    "channel FROM wait JOIN tx ON tx.id = wait.tx WHERE wait.tx = ?";

Waiting read_waiting(Row& row) {
  Waiting waiting;
  row.into(waiting.version, waiting.received, waiting.interim_at, waiting.decide_by, waiting.told,
           waiting.implicitConfirm, waiting.asked, waiting.polls);
  waiting.our_nonces = read_nonces(row.next<ByteView>());
  auto& envelope = waiting.envelope;
  auto& route = envelope.reply;
  row.into(envelope.source, route.channel, route.address, route.name, route.in_reply_to,
           route.references, waiting.pushed_body, waiting.pushed, envelope.channel);
  return waiting;
}

Result<WaitingPart> read_part(Row& row) {
  WaitingPart part;
  row.into(part.certReqId);
  const auto state = row.next<std::string_view>();
  const auto known = part_state(state);
  if (!known) {
    return hold("the ledger has a request in the unknown state " + printable(state),
                "restore the ledger from a backup");
  }
  part.state = *known;
  row.into(part.subject, part.reason);
  if (const auto answer = row.next<ByteView>(); !answer.empty()) {
    ASSIGN_OR_RETURN(part.answer, read_body(answer));
  }
  row.into(part.object, part.round, part.why, part.rule, part.people);
  return part;
}

// What changes: from interim_at to pushed.
auto state_of(const Waiting& waiting) {
  return std::tuple(waiting.interim_at, waiting.decide_by, waiting.told, waiting.implicitConfirm,
                    waiting.asked, waiting.polls, spell_nonces(waiting.our_nonces),
                    std::string_view(waiting.pushed_body), ByteView(waiting.pushed));
}

}  // namespace

Result<std::optional<Waiting>> WaitTable::find(std::int64_t transaction) {
  ASSIGN_OR_RETURN(auto waiting, one(connection_, kSelect, read_waiting, transaction));
  if (!waiting) return std::nullopt;
  waiting->transaction = transaction;
  ASSIGN_OR_RETURN(waiting->parts, parts(transaction));
  return waiting;
}

Result<std::vector<WaitingPart>> WaitTable::parts(std::int64_t transaction) {
  return all(
      connection_,
      "SELECT cert_req_id, state, subject, reason, answer, object, round, why, rule, people FROM "
      "wait_part WHERE tx = ? ORDER BY cert_req_id",
      read_part, transaction);
}

Result<void> WaitTable::put_parts(const Waiting& waiting) {
  for (const auto& part : waiting.parts) {
    TRY(change(connection_,
               "INSERT OR REPLACE INTO wait_part (tx, cert_req_id, state, subject, reason, answer, "
               "object, round, why, rule, people) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               waiting.transaction, part.certReqId, to_string(part.state), part.subject,
               part.reason, spell_body(part), part.object, part.round, part.why, part.rule,
               part.people));
  }
  return {};
}

Result<void> WaitTable::add(const Waiting& waiting) {
  const auto& envelope = waiting.envelope;
  const auto& route = envelope.reply;
  TRY(change(connection_,
             "INSERT INTO wait (interim_at, decide_by, told, implicit, asked, polls, nonces, "
             "pushed_body, pushed, tx, version, received, source, reply_channel, reply_address, "
             "reply_name, in_reply_to, reply_references) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             state_of(waiting), waiting.transaction, waiting.version, waiting.received,
             envelope.source, route.channel, route.address, route.name, route.in_reply_to,
             route.references));
  return put_parts(waiting);
}

Result<bool> WaitTable::replace(const Waiting& after, Parts parts) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_,
                          "UPDATE wait SET interim_at = ?, decide_by = ?, told = ?, implicit = ?, "
                          "asked = ?, polls = ?, nonces = ?, pushed_body = ?, pushed = ?, "
                          "version = version + 1 WHERE tx = ? AND version = ?",
                          state_of(after), after.transaction, after.version - 1));
  if (changed != 1) return false;
  if (parts == Parts::changed) TRY(put_parts(after));
  return true;
}

Result<std::vector<std::int64_t>> WaitTable::due(Time now, std::int64_t after, std::size_t limit) {
  return all(connection_,
             "SELECT tx FROM (SELECT tx FROM wait_part WHERE state IN ('undecided', 'approved', "
             "'rejected') AND "
             "state IN ('approved', 'rejected') "
             "UNION SELECT tx FROM wait_part WHERE state IN ('unlisted', 'listed') AND "
             "state = 'listed' "
             "UNION SELECT tx FROM wait WHERE interim_at IS NOT NULL AND interim_at <= ?1 "
             "UNION SELECT tx FROM wait WHERE decide_by IS NOT NULL AND decide_by <= ?1) "
             "WHERE tx > ?2 ORDER BY tx LIMIT ?3",
             column<std::int64_t>, now, after, limit);
}

Result<WaitTable::Backlog> WaitTable::backlog() {
  const auto read = [](Row& row) {
    Backlog backlog;
    row.into(backlog.undecided, backlog.oldest);
    return backlog;
  };
  ASSIGN_OR_RETURN(
      auto backlog,
      only(connection_,
           "SELECT count(*), min(received) FROM wait WHERE tx IN (SELECT tx FROM wait_part "
           "WHERE state IN ('undecided', 'approved', 'rejected') AND state = 'undecided' UNION "
           "SELECT tx FROM wait_part WHERE state = 'held')",
           read));
  ASSIGN_OR_RETURN(backlog.unlisted,
                   only(connection_,
                        "SELECT count(DISTINCT tx) FROM wait_part WHERE state IN ('unlisted', "
                        "'listed') AND state = 'unlisted'",
                        column<std::size_t>));
  return backlog;
}

Result<void> WaitTable::add(std::int64_t transaction, const Vote& verdict) {
  TRY(change(connection_,
             "INSERT INTO verdict (tx, cert_req_id, approves, who, at, reason, object, round, "
             "account, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             transaction, verdict.certReqId, verdict.approves, verdict.who, verdict.at,
             verdict.reason, verdict.object, verdict.round, verdict.account, verdict.signature));
  return {};
}

Result<std::vector<Vote>> WaitTable::verdicts(std::int64_t transaction) {
  const auto read = [](Row& row) {
    Vote vote;
    row.into(vote.certReqId, vote.approves, vote.who, vote.at, vote.reason, vote.object, vote.round,
             vote.account, vote.signature);
    return vote;
  };
  return all(
      connection_,
      "SELECT cert_req_id, approves, who, at, reason, object, round, account, signature FROM "
      "verdict "
      "WHERE tx = ? ORDER BY id",
      read, transaction);
}

}  // namespace cmpost
