#include "net/server_addresses.h"

#include <arpa/inet.h>

#include <array>

#include "base/name_lookup.h"

namespace cmpost {
namespace {

bool is_address(const std::string& host) {
  in_addr ignored{};
  return host.find(':') != std::string::npos || ::inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

// Empty for what libcurl does not read: addresses of one link, with its name behind them.
std::string in_digits(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int code = ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(),
                                 nullptr, 0, NI_NUMERICHOST);
  const std::string digits = code == 0 ? text.data() : "";
  if (digits.find('%') != std::string::npos) return {};
  return address.ai_family == AF_INET6 && !digits.empty() ? "[" + digits + "]" : digits;
}

}  // namespace

Result<std::string> server_addresses(const std::string& host, int port, const Patience& patience) {
  if (is_address(host)) return std::string();
  const auto until = std::chrono::steady_clock::now() + patience.left();
  ASSIGN_OR_RETURN(const auto found,
                   find_addresses(host, port, until, [&] { return patience.over().has_value(); }));
  std::string all;
  for (const auto* address = found.get(); address != nullptr; address = address->ai_next) {
    const auto digits = in_digits(*address);
    if (!digits.empty()) all += (all.empty() ? "" : ",") + digits;
  }
  if (all.empty()) return std::string();
  return host + ":" + std::to_string(port) + ":" + all;
}

}  // namespace cmpost
