// Answers for a medium that is put in and taken out.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "carrier/medium.h"
#include "outbox/directory_egress.h"

namespace cmpost {

// Writes answers by a DirectoryEgress while the medium is there that the requests came from
// (Route::address; empty: any). Answers for one that is away are deferred, which is no trouble, and
// woken when it is there: also when it went and came back between two looks.
class MediaEgress final : public Egress {
 public:
  explicit MediaEgress(const ChannelSettings& settings, UnderWay under_way = {})
      : settings_(settings), directory_(settings, std::move(under_way)) {}

  const std::string& channel() const override { return settings_.name; }
  Deliveries send(std::span<const Lease> leases, const std::stop_token& stop) override;
  Result<bool> tend() override;

 private:
  std::optional<Medium> medium() const;
  void send_present(const Medium& medium, std::span<const Lease> leases, Deliveries& deliveries);

  const ChannelSettings settings_;
  DirectoryEgress directory_;
  std::optional<std::string> there_;
  std::set<std::string> missed_;  // addresses of answers that were deferred since they were woken
};

}  // namespace cmpost
