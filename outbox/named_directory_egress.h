// Answers that go into a directory that they name themselves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "outbox/directory_egress.h"

namespace cmpost {

// Route::channel of such an answer; no channel of the settings can have this name. Route::address
// is the directory, absolute.
inline constexpr std::string_view kNamedDirectory = "(a directory)";

// A DirectoryEgress for each of the directories. One that cannot be written to is no trouble of the
// others: its answers are deferred.
class NamedDirectoryEgress final : public Egress {
 public:
  explicit NamedDirectoryEgress(UnderWay under_way = {})
      : channel_(kNamedDirectory), under_way_(std::move(under_way)) {}

  const std::string& channel() const override { return channel_; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;

 private:
  DirectoryEgress& egress_for(const std::string& directory);

  const std::string channel_;
  const UnderWay under_way_;
  std::map<std::string, std::unique_ptr<DirectoryEgress>> directories_;
};

}  // namespace cmpost
