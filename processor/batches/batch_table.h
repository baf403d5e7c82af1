// Batches in the ledger: named sets of requests, what was found of each, and what was put into the
// queue. What has become of a request says batch_standing.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "processor/batches/batch_plan.h"
#include "queue/job.h"
#include "store/connection.h"
#include "store/list_query.h"

namespace cmpost {

extern const std::vector<Migration> kBatchMigrations;

struct BatchRow {
  std::int64_t id = 0;  // of the row
  std::string name;
  Sha256 digest{};      // BatchPlan::digest
  std::string channel;  // whose rights count
  std::string origin;   // where it came from, for people
  std::string list;     // the file that it was held against; empty: none
  std::string who;      // has made it
  Time begun{};
  std::optional<Time> made;     // all of it is here; nullopt: it is being made, or was killed
  std::optional<Time> started;  // of its last run
  std::optional<Time> ended;    // of its last run, when that has ended
  std::optional<Time> dropped;  // a person has ended it
};

// One try of an item: a message. The last one counts.
struct BatchRequest {
  std::int64_t attempt = 0;  // from 1 on; 0: there is none
  std::string file;
  Sha256 digest{};
  Bytes transactionID;
  std::string body, subject;
  std::optional<Time> put;  // into the queue of requests
  JobId job{};              // as which; of one that was put
  // What it had come to when somebody looked last, once that was final (batch_standing.h): it stays
  // when the ledger forgets messages. Empty: not yet.
  std::string noted, noted_reason, noted_failInfo, noted_serials;
};

struct BatchEntry {
  std::int64_t number = 0;  // within the batch, from 1 on
  std::string file;         // as it came first; empty: only in the list
  std::int64_t line = 0;    // of the list; 0: none
  std::string name, serial, mac, wanted, profile, note;  // of the list; `wanted`: its subject
  BatchFinding finding = BatchFinding::good;
  std::string detail;
  bool taken = false;
  BatchRequest request;
};

// The octets of a try.
struct BatchOctets {
  Bytes octets;         // empty: not kept any more
  bool sealed = false;  // as seal_request() of stored_request.h does
};

// The file that is locked while a batch is made or changed (base/file_lock.h). `state`: of the
// instance.
inline std::string lock_of_batches(const std::string& state) { return state + "/batch.lock"; }

// A view on a connection, as cheap as a pointer. Thread and durability are the connection's.
class BatchTable {
 public:
  explicit BatchTable(Connection& connection) : connection_(connection) {}

  Result<std::optional<BatchRow>> find(std::string_view name);
  // One that was not dropped.
  Result<std::optional<BatchRow>> find(const Sha256& digest);
  // The order and the cut of `filter`.
  Result<std::vector<BatchRow>> list(const ListFilter& filter);
  Result<std::int64_t> count();

  // Its id. What of this name was begun and not made is gone.
  Result<std::int64_t> begin(const BatchRow& batch);
  // One that is there already stays as it is, with its request.
  Result<void> add(std::int64_t batch, const BatchEntry& item, const BatchOctets& octets);
  // The largest number of an item; 0: none.
  Result<std::int64_t> last_item(std::int64_t batch);
  Result<void> finish(std::int64_t batch, Time at);
  // Another message for an item, which is taken from now on.
  Result<void> add_try(std::int64_t batch, std::int64_t item, const BatchRequest& request,
                       const BatchOctets& octets);

  // In their order, or the other way round, each with its last try; other statements of the
  // connection may run meanwhile, and none of these.
  Result<void> for_each(std::int64_t batch,
                        const std::function<Result<void>(const BatchEntry&)>& each,
                        bool last_first = false);
  // Those that are taken and not put, from `after` on.
  Result<std::vector<BatchEntry>> not_put(std::int64_t batch, std::int64_t after,
                                          std::size_t limit);
  Result<BatchOctets> octets(std::int64_t batch, std::int64_t item, std::int64_t attempt);

  Result<void> start(std::int64_t batch, Time at);
  Result<void> note_put(std::int64_t batch, const BatchEntry& item, const JobId& job, Time at);
  // It was lost before anybody has worked on it: it may be put again.
  Result<void> forget_put(std::int64_t batch, const BatchEntry& item);
  Result<void> end(std::int64_t batch, Time at);
  Result<void> drop(std::int64_t batch, Time at);
  // See BatchRequest::noted. `keep_octets`: they may be put again.
  Result<void> note(std::int64_t batch, const BatchEntry& item, bool keep_octets);

  // The name of a batch that has taken this message, other than `but`; nullopt: none has.
  Result<std::optional<std::string>> batch_with(const Sha256& digest, std::string_view but);

  // For who looks: how many items are taken and not put.
  Result<std::int64_t> count_not_put(std::int64_t batch);

 private:
  Connection& connection_;
};

}  // namespace cmpost
