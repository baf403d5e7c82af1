#include "ca/ledger/key_filter.h"

#include "ca/ledger/ledger_schema.h"
#include "store/rows.h"

namespace cmpost {
namespace {

constexpr int kBitsForEach = 16, kHashes = 4;
constexpr std::uint64_t kBits = std::uint64_t{kBitsForEach} << kGenerationBits;

// The hash is a piece of SHA-256 already: its halves give as many positions as one wants.
std::uint64_t position(std::int64_t hash, std::uint64_t i) {
  const auto whole = static_cast<std::uint64_t>(hash);
  return ((whole >> 32) + i * (whole | 1)) % kBits;
}

}  // namespace

KeyFilter::Bits KeyFilter::empty() { return Bits(kBits / 64); }

void KeyFilter::add(Bits& bits, std::int64_t hash) {
  for (std::uint64_t i = 0; i < kHashes; ++i) {
    const std::uint64_t at = position(hash, i);
    bits[at / 64] |= std::uint64_t{1} << at % 64;
  }
}

bool KeyFilter::may_contain(const Bits& bits, std::int64_t hash) {
  for (std::uint64_t i = 0; i < kHashes; ++i) {
    const std::uint64_t at = position(hash, i);
    if ((bits[at / 64] >> at % 64 & 1) == 0) return false;
  }
  return true;
}

Result<void> KeyFilter::read_before(Connection& connection, std::int64_t generation) {
  for (auto next = static_cast<std::int64_t>(generations_.size()); next < generation; ++next) {
    Bits bits = empty();
    TRY(each(
        connection, "SELECT key_hash FROM certificate WHERE generation = ?",
        [&](Row& row) { add(bits, row.next<std::int64_t>()); }, next));
    generations_.push_back(std::move(bits));
  }
  return {};
}

std::vector<std::int64_t> KeyFilter::candidates(std::int64_t hash, std::int64_t generation) const {
  std::vector<std::int64_t> found;
  while (--generation >= 0) {
    if (may_contain(generations_[static_cast<std::size_t>(generation)], hash)) {
      found.push_back(generation);
    }
  }
  return found;
}

}  // namespace cmpost
