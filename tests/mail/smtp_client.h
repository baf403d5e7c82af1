// A sender of mail at a server on loopback.
#pragma once

#include "mail/wire/smtp_sender.h"
#include "tests/mail/scripted_smtp_server.h"
#include "tests/support/matchers.h"

namespace cmpost {

using SmtpWhat = SmtpOutcome::What;

inline constexpr auto kSmtpMail = "Subject: an answer\r\n\r\nx\r\n";

inline MailSettings smtp_settings(int port) {
  MailSettings settings;
  settings.send = {"smtp", "127.0.0.1", port, "client.test"};
  settings.tls.required = false;
  settings.time_limit = std::chrono::seconds(20);
  return settings;
}

inline SmtpOutcome smtp_send(SmtpSender& sender, std::string_view raw = kSmtpMail) {
  return sender.send("pki+b.1@ca.test", {"dev", "site.test"}, "job1", view_of(raw));
}

// What a server does, and what becomes of the mail.
struct SmtpRow {
  std::string name;
  SmtpScript script;
  SmtpWhat what;
  std::string words;
  bool disconnected = false;
};

}  // namespace cmpost
