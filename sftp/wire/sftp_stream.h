// What SFTP runs over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace cmpost {

// Octets to and from a server. Used by one thread. Every call ends within the channel's time limit;
// after an Error the stream is of no more use.
class SftpStream {
 public:
  virtual ~SftpStream() = default;

  virtual Result<void> write(ByteView octets) = 0;
  // Blocks until some have come; never empty.
  virtual Result<Bytes> read() = 0;
  // Looks, without blocking, whether the other side is still there, and tells it that we are.
  virtual bool keep_alive() = 0;
  // The server, for messages: "sftp://user@host".
  virtual const std::string& peer() const = 0;
};

class SocketWatchdog;

// Why there is no connection.
struct DialFailure {
  Error error;
  // Trying again and again may lock the account.
  bool login_refused = false;
};
// Makes a connection; may be called from any thread.
using SftpDial =
    std::function<tl::expected<std::unique_ptr<SftpStream>, DialFailure>(SocketWatchdog& watchdog)>;

}  // namespace cmpost
