// Where the requests of a batch come from.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

struct SourceLimits {
  std::size_t files = 100'000;
  std::size_t file = std::size_t{1} << 20U;   // octets of one
  std::size_t total = std::size_t{1} << 30U;  // octets of all
  std::string list;  // a file that is the list of the batch, and none of its requests; may be empty
};

// A set of files that is read several times, one file after the other.
class BatchSource {
 public:
  // `contents`: an Error is the fault of this file alone.
  using Visit = std::function<Result<void>(const std::string& name, Result<Bytes> contents)>;

  virtual ~BatchSource() = default;
  // In the same order each time. An Error is that of `visit`, or one
  // that makes the whole of no use: a limit, a directory that cannot be read.
  virtual Result<void> for_each(const Visit& visit) = 0;
};

// A directory, or a ZIP.
Result<std::unique_ptr<BatchSource>> open_batch_source(const std::string& path,
                                                       const SourceLimits& limits);

}  // namespace cmpost
