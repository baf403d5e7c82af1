// Lines and counted octets, to and from a server.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// An Error of any member means that nothing more can be had from this stream.
class OctetStream {
 public:
  virtual ~OctetStream() = default;

  virtual Result<void> send(std::string_view octets) = 0;
  // Up to the next LF, without it and without a CR before it. A line of more than `max` octets is
  // an Error, found before more than that has been kept.
  virtual Result<std::string> read_line(std::size_t max) = 0;
  // Memory grows with what has come, not with what was announced.
  virtual Result<Bytes> read_exactly(std::size_t count) = 0;
};

}  // namespace cmpost
