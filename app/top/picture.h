// What `cmpost top` shows: an instance at work, as lines of a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/looking/inspection.h"
#include "processor/runs/run_table.h"
#include "processor/transaction/transaction_table.h"
#include "processor/transaction/wait_table.h"

namespace cmpost {

// One look. What could not be looked at is not there, and one of the findings says why.
struct Glance {
  Time at{};  // by a steady clock
  Time now{};
  std::string instance, role;
  JobsStatus jobs;
  WorkStatus work;
  std::vector<std::pair<std::string, std::string>> kinds;    // of channels, in their order
  std::vector<std::pair<std::string, std::size_t>> to_send;  // answers, of channels
  std::optional<TransactionTable::Ageing> ageing;
  std::optional<WaitTable::Backlog> undecided;
  std::optional<std::int64_t> certificates;
  std::optional<std::pair<RunRow, RunTable::Progress>> run;  // under way
  Remarks findings;
};

// Jobs that ended in a second between two looks; nullopt: not known.
struct Rates {
  std::optional<double> requests, replies, certificates;
};
// nullopt for what one of the looks has not seen. `before` may be nullptr.
Rates rates_of(const Glance* before, const Glance& now);

// At most `rows` lines of at most `columns` columns, without line ends. What finds no room is
// counted in the last one.
std::vector<std::string> picture_of(const Glance& glance, const Rates& rates, std::size_t columns,
                                    std::size_t rows);
nlohmann::json to_json(const Glance& glance, const Rates& rates);

}  // namespace cmpost
