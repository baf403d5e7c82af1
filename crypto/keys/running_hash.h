// SHA-256 of octets that come one part after the other.
#pragma once

#include <memory>

#include "crypto/keys/algorithm.h"

namespace cmpost {

// Used by one thread.
class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  RunningSha256(RunningSha256&&) noexcept;

  void add(ByteView part);
  // Of all that was added; nothing may be added any more.
  Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cmpost
