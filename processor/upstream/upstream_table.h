// What an RA has sent to a CA above it, in the ledger database.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "processor/upstream/upstream_message.h"
#include "queue/order_job.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kUpstreamMigrations;

// Several messages under one protection of ours (RFC 9483 5.2.2.2).
struct UpstreamBatch {
  std::int64_t id = 0;
  std::string channel;
  Bytes transactionID, senderNonce;  // its own
  Bytes octets;
  std::string address;
  Time made{};
  std::optional<Time> left;

  JobId job() const;
};
Job departure_of(const UpstreamBatch& batch);

// What becomes of a message. What it says nothing about stays, but `ask_again`.
struct UpstreamChange {
  std::int64_t id = 0;
  std::vector<UpstreamState> from;
  UpstreamState to = UpstreamState::answered;
  std::optional<Time> ask_again{};
  std::string answer_body{};
  std::optional<Sha256> answer{};
  Bytes answer_nonce{};
  bool implicit = false;
  std::optional<Time> answered{};
  Bytes chain{};
  std::string answer_signer{};
};

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class UpstreamTable {
 public:
  explicit UpstreamTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<UpstreamMessage>> find(std::int64_t id);
  // Of one transaction, in the order of seq. `octets` are not read.
  Result<std::vector<UpstreamMessage>> of_transaction(std::int64_t transaction);
  // The newest of a requester with this transactionID: what is asked on behalf of a requester has
  // one of its own.
  Result<std::optional<UpstreamMessage>> find(ByteView transactionID);
  // About the own certificate, in the order of seq.
  Result<std::vector<UpstreamMessage>> of_renewal(ByteView transactionID);
  // Orders (pkcs10) of a channel, without octets: for a key; whose transactionID begins so.
  Result<std::vector<UpstreamMessage>> orders_for(std::string_view channel, const Sha256& key);
  Result<std::vector<UpstreamMessage>> orders_beginning(std::string_view channel, ByteView tid);
  // Open orders by which the same requester has asked for the same there once more.
  Result<std::vector<UpstreamMessage>> same_orders(const UpstreamMessage& order);
  Result<std::optional<Bytes>> chain_of(std::int64_t transaction);
  // In state `made`, or `waits` already, and not known to have left: by row id, for paging. Some
  // may be on their way for weeks, so their octets are not read.
  Result<std::vector<UpstreamMessage>> unsent(std::int64_t after, std::size_t limit);
  // What has ended and is not known to have left, by row id, for paging: its departure may still be
  // in the queue.
  Result<std::vector<UpstreamMessage>> may_stay(std::int64_t after, std::size_t limit);
  // What this job takes to its channel by itself; nullopt: the ledger does not know it.
  Result<std::optional<UpstreamMessage>> of_departure(ByteView transactionID, const JobId& job);
  // Open ones by channel, and when the first was made: whether each is still configured is for the
  // caller to say.
  struct OnChannel {
    std::string channel;
    std::int64_t messages = 0;
    Time oldest{};
  };
  Result<std::vector<OnChannel>> open_by_channel();
  // Of these, those that have not left, also in no batch.
  Result<std::vector<UpstreamMessage>> staying(std::string_view channel, std::int64_t after,
                                               std::size_t limit);
  // Those that are to be answered by `now`, or asked again: all of them, since any may be stuck.
  Result<std::vector<UpstreamMessage>> due(Time now);
  // What waits for a batch of this channel, oldest first.
  Result<std::vector<UpstreamMessage>> collected(std::string_view channel, std::size_t limit);
  // How much of that there is: its octets are read when it leaves.
  struct Collected {
    std::int64_t messages = 0, octets = 0;
    std::optional<Time> oldest;
  };
  Result<Collected> collected(std::string_view channel);
  // What is still open, for status.
  struct Backlog {
    std::int64_t messages = 0, collected = 0;  // of these, those that wait for a batch
    std::optional<Time> oldest;
  };
  Result<Backlog> backlog();

  // Whether an open message asks for a certificate for this key.
  Result<bool> asks_for(const Sha256& key);

  // False: there is one with this transaction and seq, or an open one about a fresh key.
  Result<bool> add(const UpstreamMessage& message);
  // False: it is in no state of `from`.
  Result<bool> change(const UpstreamChange& change);
  // Its job has ended, so that it is to be answered by `answer_by`; nullopt: whenever.
  Result<void> note_left(std::int64_t id, Time left, std::optional<Time> answer_by);

  // It has not left, and will not: its departure is in no queue any more.
  Result<void> note_stays(std::int64_t id);

  // False: one of them is not `collected` any more, and nothing has changed.
  Result<bool> add(const UpstreamBatch& batch, const std::vector<std::int64_t>& members);
  // The next two without octets.
  Result<std::optional<UpstreamBatch>> find_batch(ByteView transactionID);
  Result<std::vector<UpstreamBatch>> unsent_batches();
  Result<Bytes> octets_of_batch(std::int64_t id);
  Result<void> note_batch_left(std::int64_t id, Time left, Time answer_by);
  Result<std::vector<UpstreamMessage>> of_batch(std::int64_t batch);

  // What has ended of a transaction, and batches that nothing is left of.
  Result<void> forget(std::int64_t transaction);
  Result<void> forget_leftovers();

 private:
  Result<void> add_keys(const UpstreamMessage& message);

  Connection& connection_;
};

// Whether an order that waits in the queue is still to be placed. An Error: nobody could find out.
Result<OrderStanding> standing_of(const Job& order, Connection& ledger);

}  // namespace cmpost
