// What the audit records say that the ledger has.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ca/ledger/audit_replay.h"
#include "store/connection.h"

namespace cmpost {

// Where only records of earlier versions speak of a certificate: any of the good states.
inline constexpr std::string_view kSomeGoodState = "good";

std::string by_record(std::int64_t record);

// Derives it from one record after the other, into temporary tables: temp.said_certificate,
// said_cmp, said_secret and said_tx (see the .cpp).
class RecordedState {
 public:
  // `differ` hears of records that contradict each other.
  RecordedState(Connection& connection, std::function<void(const std::string&)> differ)
      : connection_(connection), differ_(std::move(differ)) {}

  // The tables, empty.
  Result<void> begin();
  Result<void> take(const AuditRecord& record);
  // The first record that says something about transactions.
  std::optional<Time> transactions_since() const { return transactions_since_; }

 private:
  using Detail = nlohmann::json;
  Result<void> issued(std::int64_t record, const Detail& detail);
  Result<void> rolled_over(std::int64_t record, const Detail& detail);
  Result<void> revoked(std::int64_t record, const Detail& detail);
  Result<void> released(std::int64_t record, const Detail& detail);
  Result<void> becomes(std::int64_t record, const Detail& detail, std::string_view state,
                       std::string_view reason);
  Result<void> secret_added(std::int64_t record, const Detail& detail);
  Result<void> secret_changed(std::int64_t record, const Detail& detail);
  Result<void> secret_removed(const Detail& detail);
  Result<void> count_uses(const Detail& detail);
  Result<void> answered(const AuditRecord& record, const Detail& detail);

  Connection& connection_;
  const std::function<void(const std::string&)> differ_;
  std::optional<Time> transactions_since_;
};

}  // namespace cmpost
