// Which generations of the ledger may hold a key: in memory, so that most need not be looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "store/connection.h"

namespace cmpost {

// One Bloom filter for each generation that is full: such a generation does not change any more,
// in whatever process. Two octets for each certificate. One thread.
class KeyFilter {
 public:
  // Takes in the generations before `generation` that it does not know yet: milliseconds for each.
  Result<void> read_before(Connection& connection, std::int64_t generation);

  // The generations before `generation` (all of which have been read) that may hold a key with
  // this hash, the newest first: those that do, and of the others one in some hundred.
  std::vector<std::int64_t> candidates(std::int64_t hash, std::int64_t generation) const;

 private:
  using Bits = std::vector<std::uint64_t>;
  static Bits empty();
  static void add(Bits& bits, std::int64_t hash);
  static bool may_contain(const Bits& bits, std::int64_t hash);

  std::vector<Bits> generations_;
};

}  // namespace cmpost
