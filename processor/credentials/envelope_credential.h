// Whose envelopes are counted together.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// The credential of a secret's holder, whatever kind of MAC it is used with, by its
// full_reference(); by its reference alone in rows of versions that knew no more.
inline std::string envelopes_of_secret(std::string_view full_reference) {
  return "secret:" + std::string(full_reference);
}

}  // namespace cmpost
