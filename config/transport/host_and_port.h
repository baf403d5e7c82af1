// The part of a URL that names a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmpost {

struct HostAndPort {
  std::string host;         // a name, or an address without brackets
  std::optional<int> port;  // where it is said
};
// "host", "host:2222", "[::1]:2222". What is wrong is left as a text: "it names no host".
struct ReadHost {
  HostAndPort read;
  std::string mistake;  // empty: none
};
ReadHost read_host_and_port(std::string_view text);

}  // namespace cmpost
