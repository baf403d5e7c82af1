#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "config/transport/host_and_port.h"
#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kHttpExample =
    "such as https://ca.example/.well-known/cmp, or .../.well-known/cmp/p/NAME (RFC 9811 3.4)";

bool is_url_character(char c) { return c > ' ' && c < '\x7f' && c != '#' && c != '"' && c != '\\'; }

// What is wrong, or nothing.
std::string split_http_url(std::string_view text, HttpUrl& url) {
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  url.tls = text.starts_with(kTls);
  if (!url.tls && !text.starts_with(kPlain)) return "it does not start with https:// or http://";
  text.remove_prefix(url.tls ? kTls.size() : kPlain.size());
  const auto slash = std::min(text.find_first_of("/?#"), text.size());
  const auto authority = text.substr(0, slash);
  url.path = text.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    return "a CMP server knows no login: its messages say who asks";
  }
  if (!url.path.starts_with('/')) return "it names no path";
  if (!std::all_of(url.path.begin(), url.path.end(), is_url_character)) {
    return "its path has a character that a URL cannot have";
  }
  auto [read, mistake] = read_host_and_port(authority);
  url.host = std::move(read.host);
  url.port = read.port.value_or(url.tls ? 443 : 80);
  return mistake;
}

HttpUrl read_http_url(Section& table) {
  HttpUrl url;
  table.require("url", kHttpExample);
  const auto text = table.text("url");
  if (text.empty()) return url;
  if (const auto mistake = split_http_url(text, url); !mistake.empty()) {
    table.complain("url", "'url': " + mistake, kHttpExample);
  }
  return url;
}

HttpTlsSettings read_http_tls(Section table, const HttpUrl& url, bool given) {
  HttpTlsSettings tls;
  tls.ca = table.path("ca", NamedFile::Use::readable);
  tls.pins = read_pins(table);
  tls.certificate = table.path("certificate", NamedFile::Use::readable);
  tls.key = table.path("key", NamedFile::Use::secret);
  tls.key_password_file = table.path("key_password_file", NamedFile::Use::secret);
  if (tls.certificate.empty() != tls.key.empty()) {
    table.complain(tls.key.empty() ? "certificate" : "key",
                   "'certificate' and 'key' belong together");
  }
  if (!tls.key_password_file.empty() && tls.key.empty()) {
    table.complain("key_password_file", "a password needs a 'key'");
  }
  if (given && !url.tls && !url.host.empty()) {
    table.complain("ca", "'tls' does nothing: the URL is one without TLS", "url = \"https://...\"");
  }
  table.finish();
  return tls;
}

}  // namespace

std::string to_string(const HttpUrl& url) {
  const bool brackets = url.host.find(':') != std::string::npos;
  const bool usual = url.port == (url.tls ? 443 : 80);
  return (url.tls ? "https://" : "http://") + (brackets ? "[" + url.host + "]" : url.host) +
         (usual ? "" : ":" + std::to_string(url.port)) + url.path;
}

HttpSettings read_http_settings(Section& table) {
  constexpr std::array kOnUnknown = {Word<OnUnknown>{"repeat", OnUnknown::repeat},
                                     Word<OnUnknown>{"hold", OnUnknown::hold}};
  HttpSettings http;
  http.url = read_http_url(table);
  http.tls = read_http_tls(table.table("tls"), http.url, table.has("tls"));
  http.sessions = static_cast<std::size_t>(table.integer("sessions", 4, {1, 16}));
  http.connect_limit = table.duration("connect_limit", http.connect_limit, {100ms, 10min});
  http.time_limit = table.duration("time_limit", http.time_limit, {100ms, 1h});
  http.lifetime = table.duration("lifetime", http.lifetime, {1min, 24h * 365});
  http.on_unknown = table.choice("on_unknown", http.on_unknown, kOnUnknown);
  return http;
}

}  // namespace cmpost
