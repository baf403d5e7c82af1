#include "config/transport/mail_url.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/transport/host_and_port.h"

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
  auto [server, mistake] = read_host_and_port(authority);
  url.host = std::move(server.host);
  url.port = server.port.value_or(url.port);
  if (mistake.empty()) return std::nullopt;
  return UrlMistake{std::move(mistake), "such as imaps://pki@mail.example/INBOX"};
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
