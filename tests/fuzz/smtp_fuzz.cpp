// A server's replies line by line, and a mail on its way out: what may be sent ends at its last dot
// and nowhere before, whatever way a server ends its lines.
#include "base/bytes.h"
#include "base/result.h"
#include "fuzz.h"
#include "mail/wire/smtp_dialogue.h"

namespace {

void read_replies(std::string_view text) {
  cmpost::SmtpReplyReader reader;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto reply = reader.add(text.substr(0, end));
    if (!reply) return;
    if (*reply) {
      CHECK((*reply)->severity() >= 2 && (*reply)->severity() <= 5);
      CHECK(!(*reply)->lines.empty() && (*reply)->lines.size() <= cmpost::kMaxSmtpReplyLines);
      CHECK((*reply)->status.empty() || (*reply)->status[0] == (*reply)->text()[0]);
      (void)cmpost::read_extensions(**reply);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// RFC 5321 4.5.2, the receiving side.
std::string unstuffed(std::string_view data) {
  std::string mail;
  while (!data.empty()) {
    const auto end = data.find("\r\n") + 2;
    auto line = data.substr(0, end);
    data.remove_prefix(end);
    if (line == ".\r\n") break;
    if (line.starts_with('.')) line.remove_prefix(1);
    mail += line;
  }
  CHECK(data.empty());
  return mail;
}

void send_mail(cmpost::ByteView raw) {
  if (!cmpost::check_mail(raw)) return;
  const auto data = cmpost::data_octets(raw);
  CHECK(unstuffed(data) == cmpost::text_of(raw));
  for (const auto* end : {"\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\n.\r\n"}) {
    const auto at = ("\r\n" + data).find(end);
    CHECK(at == std::string::npos || at + 3 >= data.size());
  }
}

void address(std::string_view text) {
  const cmpost::SmtpEnvelope envelope = {std::string(text), std::string(text), std::string(text),
                                         1};
  if (!cmpost::check_envelope(envelope)) return;
  for (const auto& command : {cmpost::mail_command(envelope, {true, true}),
                              cmpost::recipient_command(envelope, {true, true})}) {
    CHECK(command.find_first_of("\r\n") == command.size() - 2);
    CHECK(command.find('>') == command.find('<') + text.size() + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cmpost::ByteView input(data, size);
  read_replies(cmpost::text_of(input));
  send_mail(input);
  address(cmpost::text_of(input));
  return 0;
}
