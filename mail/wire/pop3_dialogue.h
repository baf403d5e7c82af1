// Commands to a POP3 server (RFC 1939) and their responses.
#pragma once

#include <functional>
#include <string>

#include "mail/wire/octet_stream.h"

namespace cmpost {

// Over a stream that is logged in. After an Error (retry) the stream is good for nothing.
class Pop3Dialogue {
 public:
  // `stream` must outlive the object.
  explicit Pop3Dialogue(OctetStream& stream) : stream_(stream) {}

  struct Reply {
    bool ok = false;
    std::string words;  // what the server says behind +OK or -ERR
  };
  Result<Reply> command(std::string_view text);

  // As command(); after +OK each line up to the final "." goes to `on_line`, without the dot that
  // was put before lines that begin with one.
  using OnLine = std::function<Result<void>(std::string_view line)>;
  Result<Reply> list(std::string_view text, const OnLine& on_line, std::size_t longest_line = 512);

  // The octets of a mail, CRLF. After `max` octets the rest is not read: `cut`, and the stream is
  // good for nothing. nullopt when the server refuses.
  struct Content {
    Bytes octets;
    bool cut = false;
  };
  Result<std::optional<Content>> content(std::string_view text, std::size_t max);

 private:
  OctetStream& stream_;
};

}  // namespace cmpost
