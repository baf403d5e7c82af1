// Whose envelopes are counted together.
#pragma once

#include <string>
#include <string_view>

namespace cmpost {

// The credential of a secret's holder, whatever kind of MAC it is used with.
inline std::string envelopes_of_secret(std::string_view reference) {
  return "secret:" + std::string(reference);
}

}  // namespace cmpost
