// Finds a job by its id.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "queue/job.h"
#include "store/connection.h"

namespace cmpost {

// Ids are random, so a table sorted by them has a page to write for nearly every new job. The
// newest ids (at most some 32 000, about 2 MiB) are therefore held in memory, read from the job
// table when needed, and go to the id table in one sorted sweep, where a page takes many at once.
//
// Belongs to one connection; one thread at a time. Every call is made inside a transaction, and
// after one that was not committed clear() must be called.
class IdIndex {
 public:
  IdIndex(Connection& connection, std::string table);

  // Learns what other connections have done. First in every transaction.
  Result<void> refresh();
  // The `seq` of a job.
  Result<std::optional<std::int64_t>> find(const JobId& id);
  // A job that this transaction has stored.
  void add(const JobId& id, std::int64_t seq);
  // Moves the ids in memory to the table when there are many, or `always`. Jobs may be deleted
  // only up to settled().
  enum class When { many, always };
  Result<void> settle(When when);
  std::int64_t settled() const { return settled_; }
  // Takes settled jobs out.
  struct Entry {
    JobId id;
    std::int64_t seq;
  };
  Result<void> remove(const std::vector<Entry>& entries);
  void clear();

 private:
  // The octets of an id are those of a digest, and contain what only this host knows.
  struct Hash {
    std::size_t operator()(const JobId& id) const {
      std::size_t hash;
      std::memcpy(&hash, id.octets.data() + 8, sizeof hash);
      return hash;
    }
  };

  Result<void> load_newer();
  // Runs a statement with (prefix, seq) for each of `entries`, in the order of the id table.
  Result<void> sweep(std::string_view sql, const std::vector<Entry>& entries);

  Connection& connection_;
  const std::string table_;
  const std::string find_;  // SQL
  std::unordered_map<JobId, std::int64_t, Hash> newest_;
  std::int64_t settled_ = 0;  // newest_ holds exactly the jobs after this one ...
  std::int64_t known_ = 0;    // ... and up to this one
};

}  // namespace cmpost
