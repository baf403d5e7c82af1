// The keys of a [[channel]] with kind = "mail".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cmpost {

struct LoginSettings {
  enum class Mechanism { automatic, plain, login, xoauth2, oauthbearer };
  std::string user;
  std::string password_file;  // absolute; its first line; or
  std::string token_command;  // run by /bin/sh for each login; its output is the OAuth token
  Mechanism mechanism = Mechanism::automatic;
};

struct TlsSettings {
  std::string ca;  // absolute, PEM; empty: the system's
  std::vector<std::string>
      pins;  // "sha256//BASE64" of the server's SubjectPublicKeyInfo; any of them
  // imap://, pop3:// and smtp:// use STARTTLS and go no further without it. Only for a server on
  // this host may this be turned off.
  bool required = true;
};

// imap imaps pop3 pop3s smtp smtps maildir
struct MailUrl {
  std::string scheme;
  std::string host;  // a name, or an address without brackets
  int port = 0;      // the scheme's own when the URL has none
  std::string path;  // IMAP: the mailbox; maildir: the directory, absolute
};

// Where an answer may be sent, in this order of preference.
enum class ReplyRule { registered, reply_to, return_path, from };

// "dev@site.example" = "answers@site.example": who writes, and where the answers go.
struct RegisteredAddress {
  std::string sender;  // as in MailSettings::senders
  std::string answers_to;
};

// `smime`: S/MIME (RFC 8551) around mails. It protects the way; what a request may do is decided by
// the protection of the CMP message all the same.
struct SmimeSettings {
  enum class Require { none, signature, encryption, both };
  bool enabled = false;     // without the table S/MIME is not opened at all
  std::string certificate;  // absolute, PEM: the channel's own, helpers behind it
  std::string key;          // absolute, PEM, to it; opens what is encrypted for the certificate
  std::vector<std::string> trust;  // absolute, PEM: who may vouch for signers of mails
  Require require = Require::none;
  bool sign_answers = false;  // needs an RSA key: see answer_signer.h
};

struct MailSettings {
  static constexpr std::string_view kKind = "mail";
  // One of the addresses that `registered` sends answers to: anybody may write a From.
  bool is_private(std::string_view peer) const;

  MailUrl fetch, send;
  LoginSettings login;       // for fetch, and for send unless that has its own
  LoginSettings send_login;  // user empty: no login
  TlsSettings tls;
  std::string from;       // address of answers
  std::string from_name;  // its display name
  std::string domain;     // right side of Message-IDs; default: that of `from`
  std::string hello;      // what EHLO names; empty: see greeting_name() (mail/wire/smtp_sender.h)
  bool idle = true;       // IMAP IDLE where the server has it
  Duration poll = std::chrono::minutes(1);
  std::string done_folder = "CMPost/Done", quarantine_folder = "CMPost/Quarantine";
  // POP3: how long a mail that was taken stays on the server; zero: deleted at once.
  Duration keep = Duration::zero();
  Duration time_limit = std::chrono::seconds(60);  // for one dialogue with a server
  Duration lifetime = std::chrono::hours(24 * 5);  // an answer that cannot be sent is held then
  std::size_t max_mail = std::size_t{4} << 20U;    // octets
  std::size_t max_messages = 16;                   // in one mail
  bool octet_stream = true;                        // also application/octet-stream named *.pki
  // "a@b", "*@b" or "*@*.b"; empty: any. By From, which must be a single address.
  std::vector<std::string> senders;
  // The authserv-id whose Authentication-Results are believed; then From must have passed DMARC,
  // or SPF or DKIM for its domain. Empty: not looked at.
  std::string authserv_id;
  std::vector<ReplyRule> reply = {ReplyRule::registered, ReplyRule::reply_to,
                                  ReplyRule::return_path, ReplyRule::from};
  std::vector<RegisteredAddress> registered;  // in the order of the file
  std::vector<std::string>
      reply_to;  // addresses that Reply-To may name, as `senders`; empty: From's domain
  // Of a channel to a CA above kMostPerHour, unless the settings say so.
  static constexpr std::size_t kMostPerHour = 1'000'000;
  std::size_t per_sender_per_hour = 1000;
  SmimeSettings smime;
};

}  // namespace cmpost
