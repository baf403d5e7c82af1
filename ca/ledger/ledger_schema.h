// The tables of the ledger, and how its indexes stay cheap however long it gets.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "store/connection.h"

namespace cmpost {

const std::vector<Migration>& ledger_migrations();

// Hashes of keys are random, and a random insert into a large index dirties a page of its own: with
// a million rows such an index costs more than all the rest of an insert. So the index starts with
// the generation of the row: inserts only touch the pages of the newest generation, which are few
// and stay in memory, and a look-up probes one generation after the other.
constexpr int kGenerationBits = 15;
constexpr std::int64_t generation_of(std::int64_t id) { return id >> kGenerationBits; }

// The first eight octets of SHA-256 as a signed number: what the indexes hold. Two values may
// share it, so whoever looks up compares the values themselves, too.
std::int64_t lookup_hash(ByteView value);

}  // namespace cmpost
