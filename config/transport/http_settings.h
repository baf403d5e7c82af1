// The keys of a [[channel]] with kind = "http".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cmpost {

// http://HOST[:PORT]/PATH or https://...
struct HttpUrl {
  bool tls = false;
  std::string host;  // a name, or an address without brackets
  int port = 0;      // the scheme's own when the URL has none
  std::string path;  // as written, with the query behind it: "/.well-known/cmp/p/devices"
};
std::string to_string(const HttpUrl& url);

struct HttpTlsSettings {
  std::string ca;                 // absolute, PEM; empty: the system's
  std::vector<std::string> pins;  // as TlsSettings::pins
  std::string certificate;        // ours, absolute, PEM, its chain behind it; with a key
  std::string key;                // absolute, PEM
  std::string key_password_file;  // absolute; its first line
};

// What becomes of a request of which nobody knows whether it has arrived (docs/http.md).
enum class OnUnknown {
  repeat,  // the same octets are sent again: for peers that know them and answer the same
  hold     // never twice: somebody looks first whether there is a certificate already
};

// A client of the CA above: it can do nothing but POST, so that `direction` is upstream.
struct HttpSettings {
  static constexpr std::string_view kKind = "http";
  // Nobody has to look whether there is an answer: it comes with the request. This is how long a CA
  // gets that has answered `waiting` and not said how long.
  static constexpr Duration poll = std::chrono::minutes(1);
  bool is_private(std::string_view) const { return true; }

  HttpUrl url;
  HttpTlsSettings tls;
  std::size_t sessions = 4;  // connections at a time
  Duration connect_limit = std::chrono::seconds(10);
  Duration time_limit = std::chrono::seconds(60);  // for one request and its answer
  Duration lifetime = std::chrono::hours(24 * 5);  // what cannot be sent is held then
  OnUnknown on_unknown = OnUnknown::repeat;
};

}  // namespace cmpost
