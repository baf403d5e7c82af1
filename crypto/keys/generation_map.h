// A bounded memory of answers; for this folder only.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>

#include "crypto/keys/algorithm.h"

namespace cmpost {

// Keeps between `capacity`/2 and `capacity` of the entries last used. When the young half is full
// it becomes the old one and the old one is forgotten; a hit in the old half makes an entry young.
template <typename Value>
class GenerationMap {
 public:
  explicit GenerationMap(std::size_t capacity) : half_(capacity / 2) {}

  const Value* find(const Sha256& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    const auto found = old_.find(key);
    if (found == old_.end()) return nullptr;
    return put(key, Value(found->second));
  }

  const Value* put(const Sha256& key, Value value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    return &young_.insert_or_assign(key, std::move(value)).first->second;
  }

  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  // The key is a digest: any octets of it are a hash.
  struct Hash {
    std::size_t operator()(const Sha256& key) const noexcept {
      std::size_t value = 0;
      for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | key[i];
      return value;
    }
  };
  using Half = std::unordered_map<Sha256, Value, Hash>;

  std::size_t half_;
  Half young_, old_;
};

}  // namespace cmpost
