// What a set of requests is, held against the list of what it should be. No I/O.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "processor/batches/manifest.h"
#include "processor/batches/request_facts.h"

namespace cmpost {

// What was found of an item when the batch was made. Spelled in the database and in listings as
// here.
enum class BatchFinding {
  good,
  missing,     // the list has it, and no file
  extra,       // a file that the list does not have
  differs,     // it asks for another subject than its row says
  duplicate,   // the second of two with the same octets, transactionID, or row
  same_key,    // of several with one public key: nobody can tell which of them is right
  known,       // the ledger, or another batch, has had it
  unreadable,  // no request, or a row that says nothing
};
inline constexpr std::size_t kBatchFindings = 8;
std::string_view to_string(BatchFinding finding);
std::optional<BatchFinding> batch_finding(std::string_view text);

// One file of the set: its facts, or why it has none.
struct ArrivedRequest {
  std::string file;
  std::optional<RequestFacts> facts;
  Sha256 digest{};  // of the message, or of the file where it is none
  std::string fault;
};

struct PlannedItem {
  std::string file;                // empty: there is none
  std::optional<ManifestRow> row;  // nullopt: none, or there is no list
  std::optional<RequestFacts> facts;
  BatchFinding finding = BatchFinding::good;
  std::string detail;  // of a finding other than good, for people
  bool taken = false;  // it is worked on when the batch is run
};

struct BatchPlan {
  std::vector<PlannedItem> items;  // the files in their order, then what is only in the list
  Sha256 digest{};                 // of set, list and choice: the same again is the same
};

// Whether ledger or batches have had it: which, for people; nullopt: nobody has.
using FindKnown = std::function<Result<std::optional<std::string>>(const RequestFacts&)>;

// `list`: nullopt: everything that is there is meant. `take`: findings that keep nothing back, out
// of extra, differs and same_key. What is wrong with one item is its finding alone.
Result<BatchPlan> plan_batch(const std::string& channel, const std::vector<ArrivedRequest>& arrived,
                             const std::optional<std::vector<ManifestRow>>& list,
                             const std::set<BatchFinding>& take, const FindKnown& known);

}  // namespace cmpost
