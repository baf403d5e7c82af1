#include "mail/wire/smtp_dialogue.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cmpost {
namespace {

constexpr std::size_t kMaxPath = 254;        // RFC 5321 4.5.3.1.3 without the angle brackets
constexpr std::size_t kMaxEnvelopeId = 100;  // RFC 3461 4.4

bool is_reply_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 5321 4.2: three digits, of which the first is 2 to 5 and the second 0 to 5.
std::optional<int> reply_code(std::string_view line) {
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_reply_digit)) {
    return std::nullopt;
  }
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  return code >= 200 && code <= 599 ? std::optional(code) : std::nullopt;
}

// The octets of "1.22.333" at the front of `text`, 0 when it does not start so (RFC 3463 2).
std::size_t status_length(std::string_view text) {
  std::size_t at = 0;
  for (const std::size_t longest : {1U, 3U, 3U}) {
    if (at > 0 && (at >= text.size() || text[at++] != '.')) return 0;
    const auto begin = at;
    while (at < text.size() && is_reply_digit(text[at]) && at - begin <= longest) ++at;
    if (at == begin || at - begin > longest) return 0;
  }
  return at == text.size() || text[at] == ' ' ? at : 0;
}

// RFC 2034 4: the class of the status is the first digit of the code.
std::string status_of(const SmtpReply& reply) {
  const std::string_view text = reply.lines.front();
  const auto length = status_length(text);
  if (length == 0 || text[0] - '0' != reply.severity()) return {};
  return std::string(text.substr(0, length));
}

std::string upper_word(std::string_view line) {
  std::string word(line.substr(0, line.find(' ')));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return word;
}

bool is_path_octet(char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; }

Result<void> check_path(std::string_view address) {
  const auto at = address.rfind('@');
  const bool shaped = at != std::string_view::npos && at > 0 && at + 1 < address.size();
  if (shaped && address.size() <= kMaxPath &&
      std::all_of(address.begin(), address.end(), is_path_octet)) {
    return {};
  }
  return hold("'" + printable(address, 80) + "' is not an address that mail can be sent to");
}

// RFC 3461 4: "+" and two upper-case hexadecimal digits for what is not itself.
std::string xtext(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string coded;
  for (const char c : text) {
    if (c > 0x20 && c < 0x7f && c != '+' && c != '=') {
      coded += c;
      continue;
    }
    const auto octet = static_cast<std::uint8_t>(c);
    coded += {'+', kDigits[octet >> 4U], kDigits[octet & 15U]};
  }
  return coded;
}

Result<void> check_mail_line(std::string_view line, std::size_t number) {
  const auto where = "line " + std::to_string(number) + " of the mail ";
  if (line.size() > kMaxMailLine) return hold(where + "is too long");
  for (const char c : line) {
    if (c == '\r' || c == '\n') return hold(where + "has a CR or LF that stands alone");
    if (c == '\0' || static_cast<std::uint8_t>(c) > 0x7f) {
      return hold(where + "has an octet that is not 7-bit text");
    }
  }
  return {};
}

}  // namespace

std::string SmtpReply::text() const {
  auto all = std::to_string(code);
  for (const auto& line : lines) {
    all += &line == &lines.front() ? " " : " / ";
    all += line;
  }
  return printable(all, 400);
}

Result<std::optional<SmtpReply>> SmtpReplyReader::add(std::string_view line) {
  const auto code = reply_code(line);
  const char mark = line.size() > 3 ? line[3] : ' ';
  if (!code || (mark != ' ' && mark != '-') || line.size() > kMaxSmtpReplyLine) {
    return retry("the server's answer is not SMTP: '" + printable(line, 80) + "'");
  }
  if (!reply_.lines.empty() && *code != reply_.code) {
    return retry("the lines of one answer have the codes " + std::to_string(reply_.code) + " and " +
                 std::to_string(*code));
  }
  if (reply_.lines.size() == kMaxSmtpReplyLines) return retry("the server's answer has no end");
  reply_.code = *code;
  reply_.lines.emplace_back(line.substr(std::min<std::size_t>(4, line.size())));
  if (mark == '-') return std::nullopt;
  reply_.status = status_of(reply_);
  return std::exchange(reply_, {});
}

SmtpExtensions read_extensions(const SmtpReply& ehlo) {
  SmtpExtensions extensions;
  // The first line is the server's name and its greeting.
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    const auto keyword = upper_word(ehlo.lines[i]);
    extensions.size |= keyword == "SIZE";
    extensions.dsn |= keyword == "DSN";
    extensions.pipelining |= keyword == "PIPELINING";
  }
  return extensions;
}

Result<void> check_envelope(const SmtpEnvelope& envelope) {
  if (!envelope.sender.empty()) TRY(check_path(envelope.sender));
  return check_path(envelope.recipient);
}

Result<void> check_mail(ByteView raw) {
  auto rest = text_of(raw);
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = rest.find("\r\n");
    TRY(check_mail_line(rest.substr(0, end), number));
    if (end == std::string_view::npos) return hold("the mail does not end in CRLF");
    rest.remove_prefix(end + 2);
  }
  return {};
}

std::string mail_command(const SmtpEnvelope& envelope, const SmtpExtensions& extensions) {
  auto command = "MAIL FROM:<" + envelope.sender + ">";
  if (extensions.size) command += " SIZE=" + std::to_string(envelope.size);
  if (extensions.dsn) {
    command += " RET=HDRS";
    const auto id = xtext(envelope.id);
    if (!id.empty() && id.size() <= kMaxEnvelopeId) command += " ENVID=" + id;
  }
  return command + "\r\n";
}

std::string recipient_command(const SmtpEnvelope& envelope, const SmtpExtensions& extensions) {
  auto command = "RCPT TO:<" + envelope.recipient + ">";
  // There is nobody who could be told about a mail with the null return path.
  if (extensions.dsn) {
    command += envelope.sender.empty() ? " NOTIFY=NEVER" : " NOTIFY=FAILURE,DELAY";
  }
  return command + "\r\n";
}

std::string data_octets(ByteView raw) {
  std::string data;
  data.reserve(raw.size() + raw.size() / 64 + 3);
  auto rest = text_of(raw);
  while (!rest.empty()) {
    const auto next = std::min(rest.find("\r\n"), rest.size() - 2) + 2;
    if (rest.front() == '.') data += '.';
    data += rest.substr(0, next);
    rest.remove_prefix(next);
  }
  return data + ".\r\n";
}

}  // namespace cmpost
