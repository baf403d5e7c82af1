#include "config/transport/host_and_port.h"

#include <algorithm>
#include <charconv>

namespace cmpost {
namespace {

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == ':' || c == '_';
}

// ":2222"
std::optional<int> read_port(std::string_view text) {
  int port = 0;
  const auto* last = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, last, port);
  const bool number = text[0] == ':' && error == std::errc() && stop == last;
  if (!number || port < 1 || port > 65535) return std::nullopt;
  return port;
}

}  // namespace

ReadHost read_host_and_port(std::string_view text) {
  ReadHost result;
  auto& [host, port] = result.read;
  auto end = std::min(text.find(':'), text.size());
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return {{}, "a '[' has no partner"};
    host = text.substr(1, end - 1);
    ++end;
  } else {
    host = text.substr(0, end);
  }
  // A leading '-' is an option to programs that get the name.
  if (host.empty() || host.front() == '-' ||
      !std::all_of(host.begin(), host.end(), is_host_character)) {
    return {std::move(result.read), "it names no host"};
  }
  if (end == text.size()) return result;
  port = read_port(text.substr(end));
  if (!port) result.mistake = "the port is not a number from 1 to 65535";
  return result;
}

}  // namespace cmpost
