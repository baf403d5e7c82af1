#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/spelling.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

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

// A user in the URL is what `login` says, too, when it names none.
std::optional<UrlMistake> split_url(std::string_view text, bool fetch, MailUrl& url,
                                    std::string& user) {
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

MailUrl read_url(Section& table, std::string_view key, bool fetch, std::string& user) {
  MailUrl url;
  const auto text = table.text(key);
  if (!table.has(key)) return url;
  if (const auto mistake = split_url(text, fetch, url, user)) {
    table.complain(key, "'" + std::string(key) + "': " + mistake->what, mistake->hint);
  }
  return url;
}

LoginSettings read_login(Section table, std::string user) {
  using Mechanism = LoginSettings::Mechanism;
  constexpr std::array kMechanisms = {
      Word<Mechanism>{"auto", Mechanism::automatic}, Word<Mechanism>{"plain", Mechanism::plain},
      Word<Mechanism>{"login", Mechanism::login}, Word<Mechanism>{"xoauth2", Mechanism::xoauth2},
      Word<Mechanism>{"oauthbearer", Mechanism::oauthbearer}};
  LoginSettings login;
  login.user = table.text("user", std::move(user));
  login.password_file = table.path("password_file", NamedFile::Use::secret);
  login.token_command = table.text("token_command");
  login.mechanism = table.choice("mechanism", login.mechanism, kMechanisms);
  if (!login.password_file.empty() && !login.token_command.empty()) {
    table.complain("token_command", "a login has a password or a token, not both",
                   "leave out password_file or token_command");
  }
  const bool oauth =
      login.mechanism == Mechanism::xoauth2 || login.mechanism == Mechanism::oauthbearer;
  if (oauth && login.token_command.empty()) {
    table.complain("mechanism", "this mechanism needs a token_command");
  }
  table.finish();
  return login;
}

bool is_loopback(const std::string& host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

TlsSettings read_tls(Section table, const MailSettings& mail) {
  TlsSettings tls;
  tls.ca = table.path("ca", NamedFile::Use::readable);
  tls.pins = table.texts("pins");
  for (const auto& pin : tls.pins) {
    const bool right = pin.starts_with("sha256//") && from_base64(pin.substr(8)) &&
                       from_base64(pin.substr(8))->size() == 32;
    if (!right) {
      table.complain("pins", "'" + printable(pin, 60) + "' is not a pin",
                     "\"sha256//\" and the base64 of the SHA-256 of the server's public key");
    }
  }
  tls.required = table.flag("required", tls.required);
  if (!tls.required && !(is_loopback(mail.fetch.host) && is_loopback(mail.send.host))) {
    table.complain("required", "without TLS everybody on the way reads the password",
                   "only for a server on this host");
    tls.required = true;
  }
  table.finish();
  return tls;
}

// "a@b", "*@b", "*@*.b"
bool is_address_pattern(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos && printable(text) == text &&
         text.find_first_of(" <>,;\"") == std::string_view::npos;
}

std::vector<std::string> read_patterns(Section& table, std::string_view key) {
  auto patterns = table.texts(key);
  for (const auto& pattern : patterns) {
    if (!is_address_pattern(pattern)) {
      table.complain(key, "'" + printable(pattern, 80) + "' is not an address",
                     "such as \"pki@site-7.example\", \"*@site-7.example\" or \"*@*.example\"");
    }
  }
  return patterns;
}

void read_addresses(Section& table, MailSettings& mail) {
  constexpr std::array kRules = {Word<ReplyRule>{"reply-to", ReplyRule::reply_to},
                                 Word<ReplyRule>{"return-path", ReplyRule::return_path},
                                 Word<ReplyRule>{"from", ReplyRule::from}};
  mail.from = table.text("from");
  if (!mail.send.scheme.empty()) table.require("from", "the address that answers come from");
  if (!mail.from.empty() && (!is_address_pattern(mail.from) || mail.from.front() == '*')) {
    table.complain("from", "'" + printable(mail.from, 80) + "' is not an address",
                   "such as \"pki@example.com\"");
  }
  mail.from_name = table.text("from_name");
  const auto at = mail.from.find('@');
  mail.domain =
      table.text("domain", at == std::string::npos ? "localhost" : mail.from.substr(at + 1));
  mail.senders = read_patterns(table, "senders");
  mail.reply_to = read_patterns(table, "reply_to");
  mail.authserv_id = table.text("authserv_id");
  if (!table.has("reply")) return;
  mail.reply.clear();
  for (const auto* item : table.items("reply")) {
    const auto found = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const auto& rule) { return rule.word == item->text; });
    if (found != kRules.end()) {
      mail.reply.push_back(found->meaning);
    } else {
      table.complain("reply", "'" + printable(item->text, 40) + "' is no place for an answer",
                     "known are \"reply-to\", \"return-path\", \"from\"");
    }
  }
}

}  // namespace

MailSettings read_mail_settings(Section& table) {
  MailSettings mail;
  std::string fetch_user, send_user;
  table.require("fetch", "such as imaps://pki@mail.example/INBOX");
  table.require("send", "such as smtps://pki@mail.example");
  mail.fetch = read_url(table, "fetch", true, fetch_user);
  mail.send = read_url(table, "send", false, send_user);
  if (mail.fetch.scheme.starts_with("imap") && mail.fetch.path.empty()) mail.fetch.path = "INBOX";
  mail.login = read_login(table.table("login"), fetch_user);
  mail.send_login =
      table.has("send_login") ? read_login(table.table("send_login"), send_user) : mail.login;
  mail.tls = read_tls(table.table("tls"), mail);
  read_addresses(table, mail);
  mail.idle = table.flag("idle", mail.idle);
  mail.poll = table.duration("poll", mail.poll, {1s, 24h});
  mail.done_folder = table.text("done_folder", mail.done_folder);
  mail.quarantine_folder = table.text("quarantine_folder", mail.quarantine_folder);
  mail.keep = table.duration("keep", mail.keep, {0s, 24h * 366});
  mail.time_limit = table.duration("time_limit", mail.time_limit, {1s, 1h});
  mail.lifetime = table.duration("lifetime", mail.lifetime, {1min, 24h * 366});
  mail.max_mail =
      table.size("max_mail", mail.max_mail, {std::size_t{1} << 12U, std::size_t{16} << 20U});
  mail.max_messages = static_cast<std::size_t>(table.integer("max_messages", 16, {1, 1000}));
  mail.octet_stream = table.flag("octet_stream", mail.octet_stream);
  mail.per_sender_per_hour =
      static_cast<std::size_t>(table.integer("per_sender_per_hour", 1000, {1, 1'000'000}));
  return mail;
}

}  // namespace cmpost
