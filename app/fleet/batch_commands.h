// What `cmpost batch` does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "app/instance/list_options.h"
#include "app/terminal/command_line.h"
#include "processor/batches/batch_standing.h"

namespace cmpost {

struct BatchWords {
  std::string name, from, list, channel, to, only, reason, state, finding;
  std::vector<std::string> take;
  bool csv = false;
  ListOptions batches, items, confirmed;  // of `list`, `show` and `confirmations`
};

Result<ExitCode> create_batch(const BatchWords& options, const CommonOptions& common);
Result<ExitCode> list_batches(const BatchWords& options, const CommonOptions& common);
Result<ExitCode> show_batch(const BatchWords& options, const CommonOptions& common);
Result<ExitCode> run_batch(const BatchWords& options, const CommonOptions& common);
Result<ExitCode> retry_batch(const BatchWords& words, const CommonOptions& common);
Result<ExitCode> show_confirmations(const BatchWords& words, const CommonOptions& common);
Result<ExitCode> drop_batch(const BatchWords& options, const CommonOptions& common);

// The one of that name, whole; Blame::usage: there is none, or it is half made.
Result<BatchRow> batch_named(Connection& connection, const std::string& name);

// How many items are in which state, and what was found of them.
struct BatchCount {
  BatchTotals states{};
  std::array<std::size_t, kBatchFindings> findings{};
  std::size_t items = 0;
  std::size_t of(BatchState state) const { return states[static_cast<std::size_t>(state)]; }
  void add(const BatchEntry& item, BatchState state) {
    ++items;
    ++states[static_cast<std::size_t>(state)];
    ++findings[static_cast<std::size_t>(item.finding)];
  }
};
Result<BatchCount> count_batch(BatchTable table, const BatchRow& batch, BatchLook& look);
// "12 020 items: 11 986 granted, 9 refused, 25 missing"
std::string in_words(const BatchCount& count);
nlohmann::json to_json(const BatchRow& batch, const BatchCount& count);
void print_batch(const BatchRow& batch, const BatchCount& count, const CommonOptions& common);

}  // namespace cmpost
