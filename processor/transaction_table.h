// Transactions and their messages in the ledger database.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "processor/transaction.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kProcessorMigrations;

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class TransactionTable {
 public:
  explicit TransactionTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<Transaction>> find(ByteView transactionID);
  Result<std::optional<Transaction>> find(std::int64_t id);
  // A message of the transaction with this digest.
  Result<std::optional<StoredMessage>> message(std::int64_t transaction, const Sha256& digest);
  Result<std::vector<StoredMessage>> messages(std::int64_t transaction);
  // An open transaction that renews the certificate with this serial.
  Result<bool> being_renewed(ByteView serial);
  // Open ones whose certConf is overdue at `now`, oldest first.
  Result<std::vector<Transaction>> overdue(Time now, std::size_t limit);

  // The newest first.
  Result<std::vector<Transaction>> newest(std::optional<TransactionState> state, std::size_t limit);

  // The row id; nullopt when the transactionID is taken.
  Result<std::optional<std::int64_t>> open(const Transaction& transaction);
  // open -> `state`, with our new nonce; false when it was not open any more.
  Result<bool> advance(std::int64_t id, TransactionState state, ByteView our_nonce);
  Result<void> add(std::int64_t transaction, const StoredMessage& message, Time at);

 private:
  Connection& connection_;
};

}  // namespace cmpost
