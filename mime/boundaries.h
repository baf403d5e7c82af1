// The delimiters of the multiparts that are open at a place in the mail (RFC 2046 5.1.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cmpost {

class Boundaries {
 public:
  enum class Delimiter { none, separator, closing };

  // An Error when `boundary` is none, or is one of those that are open.
  Result<void> open(std::string_view boundary);
  void close() { open_.pop_back(); }
  bool empty() const { return open_.empty(); }

  // What `line` means to the innermost multipart. An Error for a line that ends an outer one before
  // the inner one is closed, and for one that starts like a delimiter and goes on differently:
  // RFC 2046 has only the beginning compared, many programs compare the whole line.
  Result<Delimiter> classify(std::string_view line) const;

  // Whether some reader might take the line for a delimiter.
  bool resembles(std::string_view line) const;

 private:
  std::vector<std::string> open_;
};

}  // namespace cmpost
