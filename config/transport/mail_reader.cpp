#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "config/text/spelling.h"
#include "config/transport/mail_url.h"
#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

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

// Without a table of its own `send` shares the secret of `login`, as the user that it names itself.
LoginSettings read_send_login(Section& table, const LoginSettings& login, const std::string& user) {
  if (table.has("send_login")) return read_login(table.table("send_login"), user);
  LoginSettings shared = login;
  if (!user.empty()) shared.user = user;
  if (!user.empty() && login.password_file.empty() && login.token_command.empty()) {
    table.complain("send",
                   "'send' names the user '" + printable(user, 60) + "' and nothing to log in with",
                   "login = { password_file = \"...\" }, or a send_login of its own");
  }
  return shared;
}

bool is_loopback(const std::string& host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

TlsSettings read_tls(Section table, const MailSettings& mail) {
  TlsSettings tls;
  tls.ca = table.path("ca", NamedFile::Use::readable);
  tls.pins = read_pins(table);
  tls.required = table.flag("required", tls.required);
  if (!tls.required && !(is_loopback(mail.fetch.host) && is_loopback(mail.send.host))) {
    table.complain("required", "without TLS everybody on the way reads the password",
                   "only for a server on this host");
    tls.required = true;
  }
  table.finish();
  return tls;
}

void check_smime(Section& table, const SmimeSettings& smime) {
  using Require = SmimeSettings::Require;
  const bool encryption = smime.require == Require::encryption || smime.require == Require::both;
  const bool signature = smime.require == Require::signature || smime.require == Require::both;
  if (smime.certificate.empty() != smime.key.empty()) {
    table.complain(smime.key.empty() ? "certificate" : "key",
                   "'certificate' and 'key' belong together");
  }
  if (encryption && smime.key.empty()) {
    table.complain("require", "without a 'key' no mail can be opened that is encrypted");
  }
  if (signature && smime.trust.empty()) {
    table.complain("require", "with nobody in 'trust' no signature counts",
                   "trust = [\"trust/mail-ca.pem\"]");
  }
  if (smime.sign_answers && smime.key.empty()) {
    table.complain("sign_answers", "without a 'key' no answer can be signed");
  }
}

SmimeSettings read_smime(Section table) {
  using Require = SmimeSettings::Require;
  constexpr std::array kRequirements = {
      Word<Require>{"none", Require::none}, Word<Require>{"signed", Require::signature},
      Word<Require>{"encrypted", Require::encryption}, Word<Require>{"both", Require::both}};
  SmimeSettings smime;
  smime.enabled = true;
  smime.certificate = table.path("certificate", NamedFile::Use::readable);
  smime.key = table.path("key", NamedFile::Use::secret);
  smime.trust = table.paths("trust", NamedFile::Use::readable);
  smime.require = table.choice("require", smime.require, kRequirements);
  smime.sign_answers = table.flag("sign_answers", smime.sign_answers);
  check_smime(table, smime);
  table.finish();
  return smime;
}

// "a@b", "*@b", "*@*.b"
bool is_address_pattern(std::string_view text) {
  const auto at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos && printable(text) == text &&
         text.find_first_of(" <>,;\"") == std::string_view::npos;
}

bool is_domain_octet(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// RFC 5321 4.1.2, without names of one label: many servers refuse those.
bool is_full_domain(std::string_view text) {
  std::size_t labels = 0;
  if (text.size() > 255) return false;
  for (;; ++labels) {
    const auto end = std::min(text.find('.'), text.size());
    const auto label = text.substr(0, end);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::all_of(label.begin(), label.end(), is_domain_octet)) {
      return false;
    }
    if (end == text.size()) return labels > 0;
    text.remove_prefix(end + 1);
  }
}

// RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]".
bool is_address_literal(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  std::string address(text.substr(1, text.size() - 2));
  constexpr std::string_view kIpv6 = "IPv6:";
  std::array<std::uint8_t, 16> octets;
  const bool six = address.starts_with(kIpv6);
  if (six) address.erase(0, kIpv6.size());
  return ::inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), octets.data()) == 1;
}

void read_hello(Section& table, MailSettings& mail) {
  mail.hello = table.text("hello");
  if (mail.hello.empty() || is_full_domain(mail.hello) || is_address_literal(mail.hello)) return;
  table.complain("hello", "'" + printable(mail.hello, 80) + "' is no full name of a host",
                 "such as \"ca.example.com\", or an address: \"[192.0.2.1]\"");
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

std::vector<RegisteredAddress> read_registered(Section table) {
  std::vector<RegisteredAddress> registered;
  for (const auto& [sender, at, value] : table.members()) {
    const auto answers_to = table.text(sender);
    if (!is_address_pattern(sender) || !is_address_pattern(answers_to) ||
        answers_to.find('*') != std::string::npos) {
      table.complain(sender, "'" + printable(sender, 80) + "' has no plain addresses",
                     "such as \"dev@site-7.example\" = \"answers@site-7.example\" or "
                     "\"*@site-7.example\" = \"...\"");
    }
    registered.push_back({sender, answers_to});
  }
  table.finish();
  return registered;
}

void read_addresses(Section& table, MailSettings& mail) {
  constexpr std::array kRules = {Word<ReplyRule>{"registered", ReplyRule::registered},
                                 Word<ReplyRule>{"reply-to", ReplyRule::reply_to},
                                 Word<ReplyRule>{"return-path", ReplyRule::return_path},
                                 Word<ReplyRule>{"from", ReplyRule::from}};
  mail.from = read_mail_address(table, "from");
  if (!mail.send.scheme.empty()) table.require("from", "the address that answers come from");
  mail.from_name = table.text("from_name");
  const auto at = mail.from.find('@');
  mail.domain =
      table.text("domain", at == std::string::npos ? "localhost" : mail.from.substr(at + 1));
  read_hello(table, mail);
  mail.senders = read_patterns(table, "senders");
  mail.reply_to = read_patterns(table, "reply_to");
  mail.authserv_id = table.text("authserv_id");
  mail.registered = read_registered(table.table("registered"));
  if (!table.has("reply")) return;
  mail.reply.clear();
  for (const auto* item : table.items("reply")) {
    const auto found = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const auto& rule) { return rule.word == item->text; });
    if (found != kRules.end()) {
      mail.reply.push_back(found->meaning);
    } else {
      table.complain("reply", "'" + printable(item->text, 40) + "' is no place for an answer",
                     "known are \"registered\", \"reply-to\", \"return-path\", \"from\"");
    }
  }
  const bool looked_up = std::ranges::count(mail.reply, ReplyRule::registered) > 0;
  if (!mail.registered.empty() && !looked_up) {
    table.complain("reply", "'registered' is given and not used", "reply = [\"registered\", ...]");
  }
}

}  // namespace

std::string read_mail_address(Section& table, std::string_view key) {
  auto address = table.text(key);
  if (!address.empty() &&
      (!is_address_pattern(address) || address.find('*') != std::string::npos)) {
    table.complain(key, "'" + printable(address, 80) + "' is not an address",
                   "such as \"pki@example.com\"");
  }
  return address;
}

std::vector<std::string> read_pins(Section& table) {
  auto pins = table.texts("pins");
  for (const auto& pin : pins) {
    const bool right = pin.starts_with("sha256//") && from_base64(pin.substr(8)) &&
                       from_base64(pin.substr(8))->size() == 32;
    if (!right) {
      table.complain("pins", "'" + printable(pin, 60) + "' is not a pin",
                     "\"sha256//\" and the base64 of the SHA-256 of the server's public key");
    }
  }
  return pins;
}

MailSettings read_mail_settings(Section& table) {
  MailSettings mail;
  table.require("fetch", "such as imaps://pki@mail.example/INBOX");
  table.require("send", "such as smtps://pki@mail.example");
  const auto fetch = read_mail_url(table, "fetch", MailUse::fetch);
  const auto send = read_mail_url(table, "send", MailUse::send);
  mail.fetch = fetch.url;
  mail.send = send.url;
  if (mail.fetch.scheme.starts_with("imap") && mail.fetch.path.empty()) mail.fetch.path = "INBOX";
  mail.login = read_login(table.table("login"), fetch.user);
  mail.send_login = read_send_login(table, mail.login, send.user);
  mail.tls = read_tls(table.table("tls"), mail);
  if (table.has("smime")) mail.smime = read_smime(table.table("smime"));
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
  mail.per_sender_per_hour = static_cast<std::size_t>(
      table.integer("per_sender_per_hour", 1000, {1, std::int64_t{MailSettings::kMostPerHour}}));
  return mail;
}

}  // namespace cmpost
