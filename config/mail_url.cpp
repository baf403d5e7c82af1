#include "config/mail_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace cmpost {
namespace {

struct Scheme {
  std::string_view name;
  int port;
  bool fetches;
};
constexpr std::array kSchemes = {Scheme{"imap", 143, true},  Scheme{"imaps", 993, true},
                                 Scheme{"pop3", 110, true},  Scheme{"pop3s", 995, true},
                                 Scheme{"smtp", 587, false}, Scheme{"smtps", 465, false},
                                 Scheme{"maildir", 0, true}};

struct UrlMistake {
  std::string what, hint;
};

bool is_host_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == ':';
}

// "host", "host:143", "[::1]:143"; an address with colons needs its brackets.
std::optional<UrlMistake> split_authority(std::string_view text, MailUrl& url) {
  auto port = std::string_view();
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return UrlMistake{"a '[' has no partner", ""};
    url.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    url.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (url.host.empty() || !std::all_of(url.host.begin(), url.host.end(), is_host_octet)) {
    return UrlMistake{"it names no host", "such as imaps://pki@mail.example/INBOX"};
  }
  if (port.empty()) return std::nullopt;
  const auto* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, url.port);
  if (port[0] != ':' || error != std::errc() || stop != end || url.port < 1 || url.port > 65535) {
    return UrlMistake{"the port is not a number from 1 to 65535", ""};
  }
  return std::nullopt;
}

std::optional<UrlMistake> split_url(std::string_view text, bool fetch, UserAndUrl& read) {
  auto& [url, user] = read;
  const auto colon = text.find(':');
  const auto scheme = text.substr(0, std::min(colon, text.size()));
  const auto found = std::find_if(kSchemes.begin(), kSchemes.end(),
                                  [&](const Scheme& one) { return one.name == scheme; });
  if (colon == std::string_view::npos || found == kSchemes.end() || found->fetches != fetch) {
    return UrlMistake{
        "the scheme is not one of " +
            std::string(fetch ? "imaps, imap, pop3s, pop3, maildir" : "smtps, smtp"),
        fetch ? "such as imaps://pki@mail.example/INBOX" : "such as smtps://pki@mail.example"};
  }
  url.scheme = scheme;
  url.port = found->port;
  auto rest = text.substr(colon + 1);
  if (scheme == "maildir") {
    if (rest.empty() || rest.front() != '/') {
      return UrlMistake{"a Maildir is named by its absolute path", "such as maildir:/var/mail/pki"};
    }
    url.path = rest;
    return std::nullopt;
  }
  if (!rest.starts_with("//")) return UrlMistake{"'//' is missing behind the scheme", ""};
  rest.remove_prefix(2);
  const auto slash = std::min(rest.find('/'), rest.size());
  url.path = rest.substr(std::min(slash + 1, rest.size()));
  auto authority = rest.substr(0, slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (user.find(':') != std::string::npos) {
    user.clear();
    return UrlMistake{"a password does not belong into the settings",
                      "login = { password_file = \"secrets/mail\" }"};
  }
  return split_authority(authority, url);
}

}  // namespace

UserAndUrl read_mail_url(Section& table, std::string_view key, MailUse use) {
  UserAndUrl read;
  const auto text = table.text(key);
  if (!table.has(key)) return read;
  if (const auto mistake = split_url(text, use == MailUse::fetch, read)) {
    table.complain(key, "'" + std::string(key) + "': " + mistake->what, mistake->hint);
  }
  return read;
}

}  // namespace cmpost
