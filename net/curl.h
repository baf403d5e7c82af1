// What all clients have in common that are made with libcurl. Only who wraps libcurl needs this.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/free_with.h"
#include "base/result.h"
#include "net/patience.h"

namespace cmpost {

// Once for each process, whoever asks first; any thread. Ignores SIGPIPE in the whole process:
// OpenSSL writes to sockets that may be closed.
Result<void> start_curl();
// libcurl has no memory left, or the like: Recovery::retry.
tl::unexpected<Error> curl_could_not_start(const char* why);

// Sets options and remembers the first that libcurl has refused.
class CurlOptions {
 public:
  explicit CurlOptions(CURL* handle) : handle_(handle) {}
  template <typename T>
  void set(CURLoption option, T value) {
    const auto code = ::curl_easy_setopt(handle_, option, value);
    if (first_ == CURLE_OK) first_ = code;
  }
  CURLcode first() const { return first_; }

 private:
  CURL* handle_;
  CURLcode first_ = CURLE_OK;
};

// What no client does otherwise: no proxy, whatever the environment says, no signals, TLS 1.2 and
// later. The server must have a certificate for its name below `ca` (a PEM file; empty: what the
// system trusts) and, where there are `pins`, one of these keys ("sha256//BASE64").
void set_common_options(CurlOptions& options, const std::string& ca,
                        const std::vector<std::string>& pins);

using CurlListPtr = std::unique_ptr<curl_slist, FreeWith<curl_slist_free_all>>;
// The addresses of a server, as CURLOPT_RESOLVE takes them; null where `host` is an address itself.
// It takes as long as server_addresses(), and must outlive the handle that gets it.
Result<CurlListPtr> curl_addresses(const std::string& host, int port, const Patience& patience);

// What an end of libcurl means to people.
struct CurlDiagnosis {
  CURLcode code;
  Recovery recovery;  // hold: somebody must mend something
  const char* what;
  const char* hint;
};
// `detail` is what libcurl has said about it; may be empty. `own` comes before what is the same for
// all clients.
Error curl_error(CURLcode code, std::string_view detail, std::span<const CurlDiagnosis> own = {});

// Waits for what the handles of `multi` wait for, at most `time_out`, until `patience` is over or
// a stop is requested.
Result<void> wait_for_curl(CURLM* multi, Duration time_out, const Patience& patience);

}  // namespace cmpost
