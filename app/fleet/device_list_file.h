// The file that a list of devices comes from.
#pragma once

#include <istream>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// Read from its beginning, once it has been read for its digest: a pipe, which can be read only
// once, is kept in memory. An Error for what is larger than any list, before it is read, or, of
// what has no size, before it is kept.
class DeviceListFile {
 public:
  static Result<DeviceListFile> open(const std::string& path);

  std::istream& stream() { return *in_; }
  const Bytes& digest() const { return digest_; }  // SHA-256

 private:
  DeviceListFile(std::unique_ptr<std::istream> in, Bytes digest)
      : in_(std::move(in)), digest_(std::move(digest)) {}

  std::unique_ptr<std::istream> in_;
  Bytes digest_;
};

}  // namespace cmpost
