// What the ledger database keeps for the people who run it.
#pragma once

#include <optional>
#include <vector>

#include "crypto/keys/algorithm.h"
#include "store/connection.h"

namespace cmpost {

extern const std::vector<Migration> kOperationMigrations;

// The digest of the settings that were worked by last. A view on a connection.
class SettingsSeen {
 public:
  explicit SettingsSeen(Connection& connection) : connection_(connection) {}
  Result<std::optional<Bytes>> newest();
  Result<void> put(const Sha256& digest);

 private:
  Connection& connection_;
};

}  // namespace cmpost
