// Texts in a row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmpost {

// "a, b, c"; "" of none.
inline std::string joined(const std::vector<std::string>& texts, std::string_view between = ", ") {
  std::string row;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) row += between;
    row += texts[i];
  }
  return row;
}

}  // namespace cmpost
