#include "mail/wire/smtp_session.h"

#include <utility>

namespace cmpost {
namespace {

using SmtpWhat = SmtpOutcome::What;

// RFC 4954 6: the server wants a login, another one, or TLS before it. No mail would pass.
bool is_about_login(int code) { return code == 530 || code == 534 || code == 535 || code == 538; }

// RFC 5321 3.8: with 421 the server "is shutting down the connection".
bool is_farewell(const SmtpReply& reply) { return reply.code == 421; }

bool is_content(const Result<SmtpReply>& reply) { return reply && reply->severity() == 2; }

std::string_view verb_of(std::string_view command) {
  return command.substr(0, command.find_first_of(" \r"));
}

SmtpOutcome refusal(std::string_view verb, const SmtpReply& reply) {
  const auto detail = "the server answered " + std::string(verb) + " with: " + reply.text();
  if (is_about_login(reply.code)) return {SmtpWhat::channel, detail, true};
  if (reply.severity() == 5) return {SmtpWhat::permanent, detail, false};
  // Anything else but 4xx is out of step with us.
  return {SmtpWhat::temporary, detail, is_farewell(reply) || reply.severity() != 4};
}

// nullopt: the server said `wanted` (the first digit) and the mail goes on.
std::optional<SmtpOutcome> judge_step(std::string_view verb, const Result<SmtpReply>& reply,
                                      int wanted) {
  if (!reply) {
    const auto detail = "before the mail was sent: " + to_string(reply.error());
    return SmtpOutcome{SmtpWhat::temporary, detail, true};
  }
  if (reply->severity() == wanted) return std::nullopt;
  return refusal(verb, *reply);
}

SmtpOutcome may_have_it(const std::string& why) {
  return {SmtpWhat::unknown, "the server may or may not have taken the mail: " + why, true};
}

// RFC 5321 4.2.1: after the data 2xx is the server's promise; 3xx means nothing there.
SmtpOutcome end_of_data(const SmtpReply& reply) {
  if (reply.severity() == 2) return {SmtpWhat::accepted, reply.text(), false};
  if (reply.severity() == 3) return may_have_it("it answered the data with: " + reply.text());
  return refusal("the data", reply);
}

}  // namespace

Result<void> SmtpSession::greet(std::string_view name) {
  ASSIGN_OR_RETURN(const auto reply, ask("EHLO " + std::string(name) + "\r\n"));
  if (is_farewell(reply)) return retry("the server ends the connection: " + reply.text());
  if (reply.severity() == 2) extensions_ = read_extensions(reply);
  return {};
}

Result<void> SmtpSession::noop() {
  ASSIGN_OR_RETURN(const auto reply, ask("NOOP\r\n"));
  if (reply.severity() == 2) return {};
  return retry("the server answered NOOP with: " + reply.text());
}

Result<void> SmtpSession::reset() {
  ASSIGN_OR_RETURN(const auto reply, ask("RSET\r\n"));
  if (reply.severity() == 2) return {};
  return retry("the server answered RSET with: " + reply.text());
}

std::optional<SmtpOutcome> SmtpSession::send(const SmtpEnvelope& envelope, ByteView raw) {
  const auto mail = mail_command(envelope, extensions_);
  const auto recipient = recipient_command(envelope, extensions_);
  if (!pipelining()) {
    auto refused = begin_stepwise(mail, recipient);
    return refused ? std::move(refused) : send_data(raw);
  }
  const bool used = std::exchange(used_, true);
  const auto sent = stream_.send((used ? "RSET\r\n" : "") + mail + recipient + "DATA\r\n");
  if (used && (!sent || !is_content(read_reply()))) return std::nullopt;
  auto refused = hear_beginning();
  return refused ? std::move(refused) : send_data(raw);
}

std::optional<SmtpOutcome> SmtpSession::begin_stepwise(const std::string& mail,
                                                       const std::string& recipient) {
  if (auto refused = step(mail, 2)) return refused;
  if (auto refused = step(recipient, 2)) return refused;
  return step("DATA\r\n", 3);
}

// All commands are with the server already: each of them is answered, whichever refuses.
std::optional<SmtpOutcome> SmtpSession::hear_beginning() {
  std::optional<SmtpOutcome> refused;
  for (const std::string_view verb : {"MAIL", "RCPT", "DATA"}) {
    const bool last = verb == "DATA";
    auto answer = judge_step(verb, read_reply(), last ? 3 : 2);
    const bool lost = answer && answer->disconnected;
    const bool takes_data = last && !answer;
    if (!refused) refused = std::move(answer);
    if (lost) refused->disconnected = true;
    // RFC 2920 3.1: a server that wants the data of a mail without recipients gets none.
    if (takes_data && refused) refused->disconnected = !ask(".\r\n");
    if (lost) break;
  }
  return refused;
}

std::optional<SmtpOutcome> SmtpSession::ask_whether_mail_goes(const SmtpEnvelope& envelope) {
  auto refused = step(mail_command(envelope, extensions_), 2);
  return refused ? refused : step(recipient_command(envelope, extensions_), 2);
}

void SmtpSession::quit() { (void)stream_.send("QUIT\r\n"); }

Result<SmtpReply> SmtpSession::read_reply() {
  SmtpReplyReader reader;
  for (;;) {
    ASSIGN_OR_RETURN(const auto line, stream_.read_line(kMaxSmtpReplyLine));
    ASSIGN_OR_RETURN(auto reply, reader.add(line));
    if (reply) return *std::move(reply);
  }
}

Result<SmtpReply> SmtpSession::ask(std::string_view command) {
  TRY(stream_.send(command));
  return read_reply();
}

std::optional<SmtpOutcome> SmtpSession::step(std::string_view command, int wanted) {
  return judge_step(verb_of(command), ask(command), wanted);
}

// From here on the server may have the mail whatever we see (RFC 1047). That it must not take one
// whose last dot it never saw is no promise to build upon.
SmtpOutcome SmtpSession::send_data(ByteView raw) {
  const auto reply = ask(data_octets(raw));
  return reply ? end_of_data(*reply) : may_have_it(to_string(reply.error()));
}

}  // namespace cmpost
