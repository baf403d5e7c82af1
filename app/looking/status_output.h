// What `cmpost status` has found, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "app/looking/inspection.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

// What could not be looked at is not there, and one of the findings says why.
struct Status {
  const Settings* settings = nullptr;  // nullptr: the file cannot be read
  JobsStatus jobs;
  std::optional<std::int64_t> certificates;
  std::optional<Certificate> ca;
  std::optional<CertificateList> crl;
  std::optional<TransactionTable::Ageing> ageing;
  std::optional<WaitTable::Backlog> undecided;
  std::optional<UpstreamTable::Backlog> upstream;  // of an RA, and by the channels of that
  std::vector<UpstreamTable::OnChannel> on_channels;
  WorkStatus work;
  Remarks findings;
};

nlohmann::json to_json(const Status& status);
void print(const Status& status, Time now);

}  // namespace cmpost
