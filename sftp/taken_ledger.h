// What was taken from a server at which nothing may be changed.
#pragma once

#include <set>
#include <span>
#include <string>

#include "base/files.h"
#include "queue/job.h"

namespace cmpost {

// A file with a line for each entry, appended and synced. A crash while a line is written costs
// that line: its file is fetched again and found to be known in the queue. Used by one thread.
class TakenLedger {
 public:
  // Reads what is there, or begins anew; a torn end is cut off. An Error (hold): it is no such
  // file.
  static Result<TakenLedger> open(const std::string& path);

  bool has(const JobId& key) const { return keys_.contains(key); }
  std::size_t size() const { return keys_.size(); }
  // Durable when it returns OK.
  Result<void> add(std::span<const JobId> keys);
  // Forgets all others; the file shrinks when more than half of it would go.
  Result<void> keep_only(const std::set<JobId>& keys);

 private:
  explicit TakenLedger(std::string path) : path_(std::move(path)) {}
  Result<void> read(std::string_view text);
  Result<void> rewrite();
  Result<void> open_for_appending();

  std::string path_;
  std::set<JobId> keys_;
  FileDescriptor file_;
};

}  // namespace cmpost
