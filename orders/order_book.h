// The orders that a program has placed and that are not over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/job.h"

namespace cmpost {

struct PlacedOrder {
  JobId id;         // of the job that it came as
  std::string tid;  // in hex
  Bytes cookie;     // by which the program knows it
  Bytes request;    // the PKCS#10
  Time placed{};
  Time due{};  // not to be asked about before
};

// A file for each in a directory of the channel. The Egress adds, the Ingress changes and removes:
// two threads, or two processes.
class OrderBook {
 public:
  // `directory`: made with the first order.
  explicit OrderBook(std::string directory) : directory_(std::move(directory)) {}

  // Durable when it returns OK.
  Result<void> write(const PlacedOrder& order) const;
  Result<void> remove(const JobId& id) const;
  Result<std::optional<PlacedOrder>> find(const JobId& id) const;
  // Those that can be read, and what is wrong with the others.
  struct Pages {
    std::vector<PlacedOrder> orders;
    std::map<std::string, Error> unreadable;  // by the names of the files
  };
  Result<Pages> all() const;

 private:
  std::string file_of(const JobId& id) const { return directory_ + "/" + id.text(); }

  const std::string directory_;
};

}  // namespace cmpost
