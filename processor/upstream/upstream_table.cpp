#include "processor/upstream/upstream_table.h"

#include <algorithm>

#include "crypto/x509/certificate.h"
#include "store/rows.h"

namespace cmpost {

const std::vector<Migration> kUpstreamMigrations = {
    {1, R"sql(
CREATE TABLE upstream (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL REFERENCES tx (id),
  seq INTEGER NOT NULL,
  channel TEXT NOT NULL,
  mode TEXT NOT NULL,
  body TEXT NOT NULL,
  octets BLOB NOT NULL,
  tid BLOB NOT NULL,
  sender_nonce BLOB NOT NULL,
  question BLOB,
  batch INTEGER NOT NULL,
  address TEXT NOT NULL,
  source TEXT NOT NULL,
  reply_channel TEXT NOT NULL,
  reply_address TEXT NOT NULL,
  reply_name TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  reply_references TEXT NOT NULL,
  state TEXT NOT NULL,
  made INTEGER NOT NULL,
  left_at INTEGER,
  answer_by INTEGER,
  ask_again INTEGER,
  answer_body TEXT NOT NULL,
  answer BLOB,
  answer_nonce BLOB NOT NULL,
  implicit INTEGER NOT NULL,
  answered INTEGER,
  UNIQUE (tx, seq)
);
CREATE INDEX upstream_by_tid ON upstream (tid);
CREATE INDEX upstream_unsent ON upstream (id)
  WHERE state IN ('made', 'waits') AND left_at IS NULL;
CREATE INDEX upstream_collected ON upstream (channel, id) WHERE state = 'collected';
CREATE INDEX upstream_answer_by ON upstream (answer_by) WHERE state IN ('left', 'waits');
CREATE INDEX upstream_ask_again ON upstream (ask_again) WHERE state = 'waits';
CREATE INDEX upstream_open ON upstream (made)
  WHERE state IN ('collected', 'made', 'left', 'waits');
CREATE INDEX upstream_by_batch ON upstream (batch) WHERE batch <> 0;
CREATE TABLE upstream_batch (
  id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  tid BLOB NOT NULL UNIQUE,
  sender_nonce BLOB NOT NULL,
  octets BLOB NOT NULL,
  address TEXT NOT NULL,
  made INTEGER NOT NULL,
  left_at INTEGER
);
CREATE INDEX upstream_batch_unsent ON upstream_batch (id) WHERE left_at IS NULL;
)sql"},
    // Messages about the own certificate are of no requester's transaction, and a transaction goes
    // on under the certificate that it has begun with.
    {2, R"sql(
CREATE TABLE upstream_2 (
  id INTEGER PRIMARY KEY,
  tx INTEGER REFERENCES tx (id),
  renewal INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  channel TEXT NOT NULL,
  mode TEXT NOT NULL,
  body TEXT NOT NULL,
  octets BLOB NOT NULL,
  tid BLOB NOT NULL,
  sender_nonce BLOB NOT NULL,
  signer BLOB NOT NULL,
  question BLOB,
  batch INTEGER NOT NULL,
  address TEXT NOT NULL,
  source TEXT NOT NULL,
  reply_channel TEXT NOT NULL,
  reply_address TEXT NOT NULL,
  reply_name TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  reply_references TEXT NOT NULL,
  state TEXT NOT NULL,
  made INTEGER NOT NULL,
  left_at INTEGER,
  answer_by INTEGER,
  ask_again INTEGER,
  answer_body TEXT NOT NULL,
  answer BLOB,
  answer_nonce BLOB NOT NULL,
  implicit INTEGER NOT NULL,
  answered INTEGER,
  UNIQUE (tx, seq)
);
INSERT INTO upstream_2
  SELECT id, tx, 0, seq, channel, mode, body, octets, tid, sender_nonce, x'', question, batch,
    address, source, reply_channel, reply_address, reply_name, in_reply_to, reply_references,
    state, made, left_at, answer_by, ask_again, answer_body, answer, answer_nonce, implicit,
    answered
  FROM upstream;
DROP TABLE upstream;
ALTER TABLE upstream_2 RENAME TO upstream;
CREATE INDEX upstream_by_tid ON upstream (tid);
CREATE INDEX upstream_unsent ON upstream (id)
  WHERE state IN ('made', 'waits') AND left_at IS NULL;
CREATE INDEX upstream_collected ON upstream (channel, id) WHERE state = 'collected';
CREATE INDEX upstream_answer_by ON upstream (answer_by) WHERE state IN ('left', 'waits');
CREATE INDEX upstream_ask_again ON upstream (ask_again) WHERE state = 'waits';
CREATE INDEX upstream_open ON upstream (made)
  WHERE state IN ('collected', 'made', 'left', 'waits');
CREATE INDEX upstream_by_batch ON upstream (batch) WHERE batch <> 0;
CREATE UNIQUE INDEX upstream_by_renewal ON upstream (renewal, seq) WHERE renewal <> 0;
CREATE INDEX upstream_by_signer ON upstream (signer);
CREATE TABLE own_renewal (
  id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  channel TEXT NOT NULL,
  tid BLOB NOT NULL UNIQUE,
  key BLOB NOT NULL,
  chain BLOB NOT NULL,
  former_key BLOB NOT NULL,
  former_chain BLOB NOT NULL,
  begun INTEGER NOT NULL,
  ended INTEGER,
  reason TEXT NOT NULL
);
CREATE UNIQUE INDEX own_renewal_under_way ON own_renewal ((1))
  WHERE state IN ('asked', 'confirming', 'granted');
)sql"},
    {3, R"sql(
ALTER TABLE upstream ADD COLUMN spki BLOB;
ALTER TABLE upstream ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE upstream ADD COLUMN chain BLOB NOT NULL DEFAULT x'';
CREATE INDEX upstream_by_spki ON upstream (spki) WHERE spki IS NOT NULL;
CREATE INDEX upstream_orders ON upstream (tid) WHERE mode = 'pkcs10';
)sql"},
    // stays: it has ended before it left, and its departure is dropped.
    {4, R"sql(
ALTER TABLE upstream ADD COLUMN stays INTEGER NOT NULL DEFAULT 0;
CREATE INDEX upstream_may_stay ON upstream (id)
  WHERE state IN ('answered', 'unanswered', 'given_up') AND left_at IS NULL AND stays = 0
    AND batch = 0;
)sql"},
    // Certificates of nobody (orphan_table.h).
    {5, R"sql(
CREATE TABLE orphan (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL,
  tid BLOB NOT NULL,
  channel TEXT NOT NULL,
  der BLOB NOT NULL,
  serial BLOB NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  state TEXT NOT NULL,
  refusal BLOB NOT NULL,
  note TEXT NOT NULL,
  UNIQUE (issuer, serial)
);
CREATE INDEX orphan_to_do ON orphan (state) WHERE state IN ('open', 'wanted', 'asked');
ALTER TABLE upstream ADD COLUMN answer_signer TEXT NOT NULL DEFAULT '';
CREATE TABLE upstream_key (
  spki BLOB NOT NULL,
  upstream INTEGER NOT NULL,
  PRIMARY KEY (spki, upstream)
) WITHOUT ROWID;
)sql"},
};

namespace {

constexpr std::string_view kUpstreamColumns =
    "id, tx, renewal, seq, channel, mode, body, tid, sender_nonce, signer, question, batch, "
    "address, "
    "source, "
    "reply_channel, reply_address, reply_name, in_reply_to, reply_references, state, made, "
    "left_at, answer_by, ask_again, answer_body, answer, answer_nonce, implicit, answered, spki, "
    "profile, chain, answer_signer";

auto unknown_upstream(std::string_view what) {
  return hold("the ledger has a message to a CA of the unknown " + printable(what),
              "restore the ledger from a backup, or use the version that has written it");
}

Result<UpstreamMessage> read_upstream(Row& row) {
  UpstreamMessage message;
  row.into(message.id, message.transaction, message.renewal, message.seq, message.channel);
  const auto mode = upstream_mode(row.next<std::string_view>());
  row.into(message.body, message.transactionID, message.senderNonce, message.signer,
           message.question, message.batch, message.address, message.source);
  auto& route = message.reply;
  row.into(route.channel, route.address, route.name, route.in_reply_to, route.references);
  const auto state = upstream_state(row.next<std::string_view>());
  row.into(message.made, message.left, message.answer_by, message.ask_again, message.answer_body,
           message.answer, message.answer_nonce, message.implicit, message.answered, message.key,
           message.profile, message.chain, message.answer_signer);
  if (!mode) return unknown_upstream("mode");
  if (!state) return unknown_upstream("state");
  message.mode = *mode;
  message.state = *state;
  return message;
}

Result<UpstreamMessage> read_upstream_whole(Row& row) {
  ASSIGN_OR_RETURN(auto message, read_upstream(row));
  message.octets = row.next<Bytes>();
  return message;
}

// A person has not told the CA yet, though its requester hears no more of it.
constexpr std::string_view kNothingToRevoke =
    "NOT (mode = 'pkcs10' AND body = 'rr' AND state = 'unanswered')";

std::string select_messages(std::string_view rest, bool whole = false) {
  return "SELECT " + std::string(kUpstreamColumns) + (whole ? ", octets" : "") + " FROM upstream " +
         std::string(rest);
}

// The request of an order without its signature, which may be another one each time.
std::optional<Bytes> asked_for(const UpstreamMessage& order) {
  auto request = certification_request_from_pem_or_der(order.octets);
  return request ? std::optional(std::move(request->info)) : std::nullopt;
}

UpstreamBatch read_upstream_batch(Row& row) {
  UpstreamBatch batch;
  row.into(batch.id, batch.channel, batch.transactionID, batch.senderNonce, batch.address,
           batch.made, batch.left);
  return batch;
}

constexpr const char* kSelectBatch =
    "SELECT id, channel, tid, sender_nonce, address, made, left_at "
    "FROM upstream_batch ";

}  // namespace

JobId UpstreamBatch::job() const { return make_job_id({view_of("upstream batch"), transactionID}); }

Job departure_of(const UpstreamBatch& batch) {
  const auto tid = to_hex(batch.transactionID);
  Route route;
  route.channel = batch.channel;
  route.address = batch.address;
  route.name = tid.substr(0, 16);
  return Job{batch.job(), Envelope{batch.channel, tid, route, "nested", tid}, batch.octets};
}

Result<std::optional<UpstreamMessage>> UpstreamTable::find(std::int64_t id) {
  return one(connection_, select_messages("WHERE id = ?", true), read_upstream_whole, id);
}

Result<std::optional<UpstreamMessage>> UpstreamTable::find(ByteView transactionID) {
  return one(connection_, select_messages("WHERE tid = ? AND renewal = 0 ORDER BY id DESC LIMIT 1"),
             read_upstream, transactionID);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::of_renewal(ByteView transactionID) {
  return all(connection_, select_messages("WHERE tid = ? AND renewal <> 0 ORDER BY seq"),
             read_upstream, transactionID);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::of_transaction(std::int64_t transaction) {
  return all(connection_, select_messages("WHERE tx = ? ORDER BY seq"), read_upstream, transaction);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::orders_for(std::string_view channel,
                                                               const Sha256& key) {
  return all(connection_,
             select_messages("WHERE spki = ? AND channel = ? AND mode = 'pkcs10' ORDER BY id"),
             read_upstream, key, channel);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::same_orders(const UpstreamMessage& order) {
  constexpr auto kSame =
      "WHERE spki = ? AND channel = ? AND mode = 'pkcs10' AND id <> ? AND state IN ('made', 'left')"
      " AND (SELECT requester FROM tx WHERE tx.id = upstream.tx)"
      "   = (SELECT requester FROM tx WHERE tx.id = ?) ORDER BY id";
  ASSIGN_OR_RETURN(auto same, all(connection_, select_messages(kSame, true), read_upstream_whole,
                                  order.key, order.channel, order.id, order.transaction));
  ASSIGN_OR_RETURN(const auto whole, find(order.id));
  const auto asked = whole ? asked_for(*whole) : std::nullopt;
  std::erase_if(same,
                [&](const UpstreamMessage& one) { return !asked || asked_for(one) != asked; });
  return same;
}

Result<std::vector<UpstreamMessage>> UpstreamTable::orders_beginning(std::string_view channel,
                                                                     ByteView tid) {
  constexpr auto kBegin = "WHERE mode = 'pkcs10' AND channel = ? AND substr(tid, 1, length(?)) = ?";
  return all(connection_, select_messages(kBegin), read_upstream, channel, tid, tid);
}

Result<std::optional<Bytes>> UpstreamTable::chain_of(std::int64_t transaction) {
  ASSIGN_OR_RETURN(
      const auto chains,
      all(connection_, "SELECT chain FROM upstream WHERE tx = ? AND length(chain) > 0 ORDER BY seq",
          column<Bytes>, transaction));
  Bytes joined;
  for (const auto& chain : chains) joined.insert(joined.end(), chain.begin(), chain.end());
  return joined;
}

Result<std::vector<UpstreamMessage>> UpstreamTable::unsent(std::int64_t after, std::size_t limit) {
  return all(connection_,
             select_messages("WHERE state IN ('made', 'waits') AND left_at IS NULL AND id > ? AND "
                             "batch = 0 ORDER BY id LIMIT ?"),
             read_upstream, after, limit);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::may_stay(std::int64_t after,
                                                             std::size_t limit) {
  return all(connection_,
             select_messages("WHERE state IN ('answered', 'unanswered', 'given_up') AND left_at IS "
                             "NULL AND stays = 0 AND batch = 0 AND id > ? ORDER BY id LIMIT ?"),
             read_upstream, after, limit);
}

Result<std::optional<UpstreamMessage>> UpstreamTable::of_departure(ByteView transactionID,
                                                                   const JobId& job) {
  ASSIGN_OR_RETURN(auto messages,
                   all(connection_, select_messages("WHERE tid = ? AND batch = 0 ORDER BY id"),
                       read_upstream, transactionID));
  const auto found = std::ranges::find(messages, job, &UpstreamMessage::job);
  if (found == messages.end()) return std::nullopt;
  return std::move(*found);
}

Result<std::vector<UpstreamTable::OnChannel>> UpstreamTable::open_by_channel() {
  return all(connection_,
             "SELECT channel, count(*), min(made) FROM upstream WHERE state IN ('collected', "
             "'made', 'left', 'waits') GROUP BY channel ORDER BY channel",
             [](Row& row) {
               OnChannel found;
               row.into(found.channel, found.messages, found.oldest);
               return found;
             });
}

Result<std::vector<UpstreamMessage>> UpstreamTable::staying(std::string_view channel,
                                                            std::int64_t after, std::size_t limit) {
  return all(connection_,
             select_messages("WHERE state IN ('collected', 'made', 'left', 'waits') AND left_at IS "
                             "NULL AND channel = ? AND id > ? ORDER BY id LIMIT ?"),
             read_upstream, channel, after, limit);
}

Result<std::vector<UpstreamMessage>> UpstreamTable::due(Time now) {
  ASSIGN_OR_RETURN(auto messages,
                   all(connection_,
                       select_messages("WHERE state IN ('left', 'waits') AND answer_by <= ? "
                                       "ORDER BY answer_by"),
                       read_upstream, now));
  ASSIGN_OR_RETURN(
      const auto again,
      all(connection_,
          select_messages("WHERE state = 'waits' AND ask_again <= ? ORDER BY ask_again"),
          read_upstream, now));
  messages.insert(messages.end(), again.begin(), again.end());
  return messages;
}

Result<std::vector<UpstreamMessage>> UpstreamTable::collected(std::string_view channel,
                                                              std::size_t limit) {
  return all(connection_,
             select_messages("WHERE state = 'collected' AND channel = ? ORDER BY id LIMIT ?", true),
             read_upstream_whole, channel, limit);
}

Result<UpstreamTable::Collected> UpstreamTable::collected(std::string_view channel) {
  return only(
      connection_,
      "SELECT count(*), coalesce(sum(length(octets)), 0), min(made) FROM upstream "
      "WHERE state = 'collected' AND channel = ?",
      [](Row& row) {
        Collected collected;
        row.into(collected.messages, collected.octets, collected.oldest);
        return collected;
      },
      channel);
}

Result<UpstreamTable::Backlog> UpstreamTable::backlog() {
  ASSIGN_OR_RETURN(
      const auto found,
      one(connection_,
          "SELECT count(*), count(*) FILTER (WHERE state = 'collected'), min(made) FROM upstream "
          "WHERE state IN ('collected', 'made', 'left', 'waits')",
          [](Row& row) {
            Backlog backlog;
            row.into(backlog.messages, backlog.collected, backlog.oldest);
            return backlog;
          }));
  return found.value_or(Backlog{});
}

Result<bool> UpstreamTable::asks_for(const Sha256& key) {
  ASSIGN_OR_RETURN(
      const auto count,
      only(connection_,
           "SELECT count(*) FROM upstream_key JOIN upstream ON upstream.id = upstream "
           "WHERE upstream_key.spki = ? AND state IN ('collected', 'made', 'left', 'waits')",
           column<std::int64_t>, key));
  return count > 0;
}

Result<void> UpstreamTable::add_keys(const UpstreamMessage& message) {
  for (const auto& key : message.keys) {
    TRY(cmpost::change(connection_,
                       "INSERT INTO upstream_key (spki, upstream) "
                       "SELECT ?, id FROM upstream WHERE tx = ? AND seq = ? ON CONFLICT DO NOTHING",
                       key, message.transaction, message.seq));
  }
  return {};
}

Result<bool> UpstreamTable::add(const UpstreamMessage& message) {
  for (const auto& key : message.fresh_keys) {
    ASSIGN_OR_RETURN(const bool taken, asks_for(key));
    if (taken) return false;
  }
  const auto transaction = message.renewal == 0 ? std::optional(message.transaction) : std::nullopt;
  ASSIGN_OR_RETURN(
      const auto count,
      cmpost::change(
          connection_,
          "INSERT INTO upstream (tx, renewal, seq, channel, mode, body, octets, tid, sender_nonce, "
          "signer, question, batch, address, source, reply_channel, reply_address, reply_name, "
          "in_reply_to, reply_references, state, made, spki, profile, answer_body, "
          "answer_nonce, implicit) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', x'', "
          "0) "
          "ON CONFLICT DO NOTHING",
          transaction, message.renewal, message.seq, message.channel, to_string(message.mode),
          message.body, message.octets, message.transactionID, message.senderNonce, message.signer,
          message.question, message.batch, message.address, message.source, message.reply.channel,
          message.reply.address, message.reply.name, message.reply.in_reply_to,
          message.reply.references, to_string(message.state), message.made, message.key,
          message.profile));
  if (count == 1) TRY(add_keys(message));
  return count == 1;
}

Result<bool> UpstreamTable::change(const UpstreamChange& change) {
  ASSIGN_OR_RETURN(const auto present, one(connection_, "SELECT state FROM upstream WHERE id = ?",
                                           column<std::string>, change.id));
  const auto state = present ? upstream_state(*present) : std::nullopt;
  if (!state || std::ranges::find(change.from, *state) == change.from.end()) return false;
  TRY(cmpost::change(connection_,
                     "UPDATE upstream SET state = ?, ask_again = ?, "
                     "answer_body = CASE WHEN ? = '' THEN answer_body ELSE ? END, "
                     "answer = coalesce(?, answer), "
                     "answer_nonce = CASE WHEN length(?) = 0 THEN answer_nonce ELSE ? END, "
                     "implicit = max(implicit, ?), answered = coalesce(?, answered), "
                     "chain = CASE WHEN length(?) = 0 THEN chain ELSE ? END, "
                     "answer_signer = CASE WHEN ? = '' THEN answer_signer ELSE ? END WHERE id = ?",
                     to_string(change.to), change.ask_again, change.answer_body, change.answer_body,
                     change.answer, change.answer_nonce, change.answer_nonce, change.implicit,
                     change.answered, change.chain, change.chain, change.answer_signer,
                     change.answer_signer, change.id));
  return true;
}

Result<void> UpstreamTable::note_left(std::int64_t id, Time left, std::optional<Time> answer_by) {
  TRY(cmpost::change(connection_,
                     "UPDATE upstream SET left_at = ?, answer_by = ?, "
                     "state = CASE WHEN state = 'made' THEN 'left' ELSE state END WHERE id = ?",
                     left, answer_by, id));
  return {};
}

Result<void> UpstreamTable::note_stays(std::int64_t id) {
  TRY(cmpost::change(connection_, "UPDATE upstream SET stays = 1 WHERE id = ?", id));
  return {};
}

Result<bool> UpstreamTable::add(const UpstreamBatch& batch,
                                const std::vector<std::int64_t>& members) {
  for (const auto member : members) {
    ASSIGN_OR_RETURN(
        const auto collected,
        only(connection_, "SELECT count(*) FROM upstream WHERE id = ? AND state = 'collected'",
             column<std::int64_t>, member));
    if (collected == 0) return false;
  }
  TRY(cmpost::change(
      connection_,
      "INSERT INTO upstream_batch (channel, tid, sender_nonce, octets, address, made) "
      "VALUES (?, ?, ?, ?, ?, ?)",
      batch.channel, batch.transactionID, batch.senderNonce, batch.octets, batch.address,
      batch.made));
  ASSIGN_OR_RETURN(const auto found, find_batch(batch.transactionID));
  if (!found) return hold("the ledger has lost a batch that was stored");
  for (const auto member : members) {
    TRY(cmpost::change(connection_, "UPDATE upstream SET batch = ?, state = 'made' WHERE id = ?",
                       found->id, member));
  }
  return true;
}

Result<std::optional<UpstreamBatch>> UpstreamTable::find_batch(ByteView transactionID) {
  return one(connection_, kSelectBatch + std::string("WHERE tid = ?"), read_upstream_batch,
             transactionID);
}

Result<std::vector<UpstreamBatch>> UpstreamTable::unsent_batches() {
  return all(connection_, kSelectBatch + std::string("WHERE left_at IS NULL ORDER BY id"),
             read_upstream_batch);
}

Result<Bytes> UpstreamTable::octets_of_batch(std::int64_t id) {
  ASSIGN_OR_RETURN(auto octets, one(connection_, "SELECT octets FROM upstream_batch WHERE id = ?",
                                    column<Bytes>, id));
  if (!octets) return hold("the ledger has lost a batch that was stored");
  return *std::move(octets);
}

Result<void> UpstreamTable::note_batch_left(std::int64_t id, Time left, Time answer_by) {
  TRY(cmpost::change(connection_, "UPDATE upstream_batch SET left_at = ? WHERE id = ?", left, id));
  TRY(cmpost::change(connection_,
                     "UPDATE upstream SET left_at = ?, answer_by = ?, "
                     "state = CASE WHEN state = 'made' THEN 'left' ELSE state END WHERE batch = ?",
                     left, answer_by, id));
  return {};
}

Result<void> UpstreamTable::forget(std::int64_t transaction) {
  TRY(cmpost::change(
      connection_,
      "DELETE FROM upstream WHERE tx = ? AND state IN ('answered', 'unanswered', 'given_up') AND " +
          std::string(kNothingToRevoke),
      transaction));
  return {};
}

// What was open when the rest of its transaction was forgotten, too.
Result<void> UpstreamTable::forget_leftovers() {
  TRY(cmpost::change(
      connection_,
      "DELETE FROM upstream WHERE state IN ('answered', 'unanswered', 'given_up') AND " +
          std::string(kNothingToRevoke) +
          " AND NOT EXISTS (SELECT 1 FROM message WHERE message.tx = upstream.tx) AND NOT EXISTS "
          "(SELECT 1 FROM own_renewal WHERE own_renewal.id = renewal AND own_renewal.state IN "
          "('asked', 'confirming'))"));
  TRY(cmpost::change(connection_,
                     "DELETE FROM upstream_key WHERE NOT EXISTS (SELECT 1 FROM upstream WHERE "
                     "upstream.id = upstream_key.upstream)"));
  TRY(cmpost::change(
      connection_,
      "DELETE FROM upstream_batch WHERE left_at IS NOT NULL AND NOT EXISTS (SELECT 1 "
      "FROM upstream WHERE batch <> 0 AND batch = upstream_batch.id)"));
  return {};
}

Result<std::vector<UpstreamMessage>> UpstreamTable::of_batch(std::int64_t batch) {
  return all(connection_, select_messages("WHERE batch = ? ORDER BY id"), read_upstream, batch);
}

Result<OrderStanding> standing_of(const Job& order, Connection& ledger) {
  const auto tid = from_hex(order.envelope.tid).value_or(Bytes());
  ASSIGN_OR_RETURN(const auto known, UpstreamTable(ledger).of_departure(tid, order.id));
  if (!known) return OrderStanding::unknown;
  return is_open(known->state) ? OrderStanding::open : OrderStanding::over;
}

}  // namespace cmpost
