// POSTs messages to one URL, several at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/transport/http_settings.h"
#include "http/wire/http_outcome.h"
#include "net/patience.h"

namespace cmpost {

// libcurl over HTTP/1.1, with connections that are kept between messages. Follows no redirect, uses
// no proxy, and takes no more than 64 KiB of header fields. Used by one thread.
//
// A message may leave twice by itself only with OnUnknown::repeat, when a kept connection turns out
// to have been closed; with OnUnknown::hold that is an unknown outcome.
class HttpClient {
 public:
  // Answers of more than `max_answer` octets are not taken.
  HttpClient(const HttpSettings& settings, std::size_t max_answer);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  // Before a group: looks up the server's name, and reads the password of our key anew. Takes no
  // longer than connect_limit; ends when a stop is requested. An Error is the channel's.
  Result<void> prepare(const std::stop_token& stop);

  // How many messages may be started now; how many are on their way.
  std::size_t free() const;
  std::size_t under_way() const;
  // Starts to send; `message` must live until its outcome is there. `tag` tells which it was.
  Result<void> start(std::size_t tag, ByteView message);

  struct Finished {
    std::size_t tag = 0;
    HttpOutcome outcome;
  };
  // Waits until at least one of the messages under way has an outcome, which each has within
  // time_limit; or until `patience` is over: then with what is there, which may be nothing. An
  // Error is libcurl's: what is under way must be abandoned.
  Result<std::vector<Finished>> wait(const Patience& patience);
  // Closes the connections of all that is under way. Their outcomes, for the reason of `why`.
  std::vector<Finished> abandon(const std::string& why);

  struct Prepared;  // of this file's functions

 private:
  class Transfer;
  struct Handles;

  Result<void> add_transfer();
  std::vector<Finished> finished();

  const HttpSettings settings_;
  const std::size_t max_answer_;
  std::unique_ptr<Handles> handles_;
};

// Connects, with TLS where the URL says so, and asks nothing. Recovery::hold when somebody must
// mend something.
Result<void> connect_by_http(const HttpSettings& settings);

}  // namespace cmpost
