// Transactions and their messages in the ledger database.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "processor/transaction/transaction.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kProcessorMigrations;

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class TransactionTable {
 public:
  explicit TransactionTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<Transaction>> find(ByteView transactionID);
  Result<std::optional<Transaction>> find(std::int64_t id);
  // A message of the transaction with this digest. The answer to a batch is there as long as all
  // answers of its members are: then the message counts as forgotten (retention.h) here, and has an
  // empty answer in the next two.
  Result<std::optional<StoredMessage>> message(std::int64_t transaction, const Sha256& digest);
  Result<std::vector<StoredMessage>> messages(std::int64_t transaction);
  Result<std::optional<StoredMessage>> first_message(std::int64_t transaction);
  // The transactions that have not ended and renew the certificate with this serial, other
  // than the one with the row id `but`.
  struct OpenRenewal {
    TransactionState state = TransactionState::open;
    std::string channel;
  };
  Result<std::vector<OpenRenewal>> open_renewals(ByteView serial, std::int64_t but = 0);
  // Those whose certConf is overdue at `now`, oldest first; `after` one of these, for paging.
  Result<std::vector<Transaction>> overdue(Time now, const Transaction* after, std::size_t limit);
  // Those whose answer had not left when somebody looked last; by row id, for paging.
  Result<std::vector<Transaction>> unsent(std::int64_t after, std::size_t limit);
  // Those that came in this nested message and have not ended.
  Result<std::vector<Transaction>> of_batch(ByteView batch);

  // What has not ended, for status: how much, since when. `alarms`: not confirmed in time, and the
  // channel wants somebody to look.
  struct Ageing {
    std::size_t waiting = 0, open = 0, alarms = 0;
    std::optional<Time> oldest_waiting, oldest_open;
  };
  Result<Ageing> ageing();

  // The row id; nullopt when the transactionID is taken.
  Result<std::optional<std::int64_t>> open(const Transaction& transaction);
  // Stores what a message changes (state, our_nonce, certificates, confirm_by, reply); false when
  // the state is not `before` any more.
  Result<bool> advance(const Transaction& after, TransactionState before);
  // The answer `reply` has left: certConf is due at `confirm_by`. False: another answer is on its
  // way meanwhile, or the transaction has ended.
  Result<bool> start_timer(std::int64_t id, ByteView reply, Time confirm_by);
  // The row id.
  Result<std::int64_t> add(std::int64_t transaction, const StoredMessage& message, Time at);
  // The answer to a message that was stored without one.
  Result<void> set_reply(std::int64_t transaction, const StoredMessage& message);
  struct Settled {
    std::string_view outcome;
    MessageResult result = MessageResult::granted;
    std::string_view failInfo;
  };
  // Of the message with this digest, when what it has waited for has come.
  Result<void> set_outcome(std::int64_t transaction, const Sha256& digest, const Settled& settled);

  // That a message of it came as something else than what opened it. The first few names are kept.
  Result<void> add_name(std::int64_t transaction, std::string_view came_as);
  Result<std::vector<std::string>> other_names(std::int64_t transaction);

 private:
  Result<bool> complete(StoredMessage& message);

  Connection& connection_;
};

}  // namespace cmpost
