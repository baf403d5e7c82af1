#include "mime/write_mail.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "mime/charset.h"
#include "mime/encoding.h"
#include "mime/header_writer.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kLongestTextLine = 76;
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostOutgoingReferences = 20;

// FNV-1a: the boundary has to follow from the contents, not to be secret. That it does not occur in
// them is certain without it: no line of base64, quoted-printable or our 7bit text starts with
// "--=".
std::uint64_t digest(std::string_view text, std::uint64_t value) {
  for (const char c : text) value = (value ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
  return value;
}

std::string boundary_of(const OutgoingMail& mail, std::string_view kind) {
  const auto start = digest(mail.message_id, 0xcbf29ce484222325U);
  const auto value = digest(mail.text, digest(text_of(mail.message), start));
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return "=_" + std::string(kind) + "_" + text.data();
}

Result<void> check_file_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (is_visible(c) || c == ' ') &&
           std::string_view("\"\\/").find(c) == std::string_view::npos;
  };
  if (name.empty() || name.size() > kLongestName || !std::ranges::all_of(name, allowed) ||
      trimmed(name) != name) {
    return hold("the file name of an attachment is not 1 to 200 plain ASCII characters: " +
                printable(name));
  }
  return {};
}

bool is_plain_line(std::string_view line) {
  if (line.size() > kLongestTextLine || line.starts_with("--=") || line.starts_with("From ") ||
      line.starts_with('.') || (!line.empty() && is_blank(line.back()))) {
    return false;
  }
  return std::ranges::all_of(line, [](char c) { return is_visible(c) || is_blank(c); });
}

// nullopt when the text needs quoted-printable.
std::optional<std::string> as_plain_lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (!is_plain_line(text.substr(0, end))) return std::nullopt;
    lines += std::string(text.substr(0, end)) + "\r\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Result<std::string> text_part(std::string_view text) {
  if (!is_utf8(text)) return hold("the text of a mail is not UTF-8");
  if (const auto lines = as_plain_lines(text)) {
    return "Content-Type: text/plain; charset=us-ascii\r\n"
           "Content-Transfer-Encoding: 7bit\r\n\r\n" +
           *lines;
  }
  return "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
         to_quoted_printable(text);
}

// RFC 2510 5.3, and the name in both places for readers that know only one.
std::string message_part(const OutgoingMail& mail) {
  return "Content-Type: application/pkixcmp;\r\n name=\"" + mail.file_name +
         "\"\r\n"
         "Content-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment;\r\n filename=\"" +
         mail.file_name + "\"\r\n\r\n" + to_base64_lines(mail.message);
}

// The first is where the conversation began; of the rest the last ones tell the most.
std::vector<std::string> shortened(std::vector<std::string> references) {
  if (references.size() > kMostOutgoingReferences) {
    const auto surplus = static_cast<std::ptrdiff_t>(references.size() - kMostOutgoingReferences);
    references.erase(references.begin() + 1, references.begin() + 1 + surplus);
  }
  return references;
}

Result<std::string> thread_fields(const OutgoingMail& mail) {
  ASSIGN_OR_RETURN(std::string fields, message_ids_field("Message-ID", {mail.message_id}));
  if (!mail.in_reply_to.empty()) {
    ASSIGN_OR_RETURN(const auto field, message_ids_field("In-Reply-To", {mail.in_reply_to}));
    fields += field;
  }
  if (!mail.references.empty()) {
    ASSIGN_OR_RETURN(const auto field, message_ids_field("References", shortened(mail.references)));
    fields += field;
  }
  return fields;
}

// RFC 3834 5, and the one that Exchange understands. Reports of what was not delivered are wanted
// of a question.
std::string nature_of(const OutgoingMail& mail) {
  return mail.auto_replied ? "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n"
                           : "Auto-Submitted: auto-generated\r\n"
                             "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n";
}

Result<std::string> header_of(const OutgoingMail& mail) {
  ASSIGN_OR_RETURN(std::string header, date_field(mail.date));
  ASSIGN_OR_RETURN(const auto from, address_field("From", mail.from_name, mail.from));
  ASSIGN_OR_RETURN(const auto to, address_field("To", "", mail.to));
  ASSIGN_OR_RETURN(const auto subject, text_field("Subject", mail.subject));
  ASSIGN_OR_RETURN(const auto thread, thread_fields(mail));
  header += from + to;
  if (mail.reply_to) {
    ASSIGN_OR_RETURN(const auto reply_to, address_field("Reply-To", "", *mail.reply_to));
    header += reply_to;
  }
  return header + subject + thread + nature_of(mail) + "MIME-Version: 1.0\r\n";
}

// The text and the PKIMessage as one MIME entity, without a line end behind its last delimiter.
Result<std::string> content_of_mail(const OutgoingMail& mail) {
  TRY(check_file_name(mail.file_name));
  if (mail.message.empty()) return hold("a mail without a PKIMessage is not written");
  ASSIGN_OR_RETURN(const auto words, text_part(mail.text));
  const auto boundary = boundary_of(mail, "cmpost");
  auto text = "Content-Type: multipart/mixed;\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  text += "--" + boundary + "\r\n" + words;
  text += "\r\n--" + boundary + "\r\n" + message_part(mail);
  return text + "\r\n--" + boundary + "--";
}

std::string signature_part(ByteView signature) {
  return "Content-Type: application/pkcs7-signature;\r\n name=\"smime.p7s\"\r\n"
         "Content-Transfer-Encoding: base64\r\n"
         "Content-Disposition: attachment;\r\n filename=\"smime.p7s\"\r\n\r\n" +
         to_base64_lines(signature);
}

}  // namespace

Result<Bytes> write_mail(const OutgoingMail& mail) {
  ASSIGN_OR_RETURN(const auto content, content_of_mail(mail));
  ASSIGN_OR_RETURN(const auto header, header_of(mail));
  return to_bytes(header + content + "\r\n");
}

Result<Bytes> write_signed_mail(const OutgoingMail& mail, const MailSignature& sign) {
  ASSIGN_OR_RETURN(const auto content, content_of_mail(mail));
  ASSIGN_OR_RETURN(std::string text, header_of(mail));
  ASSIGN_OR_RETURN(const auto signature, sign(view_of(content)));
  const auto boundary = boundary_of(mail, "signed");
  text +=
      "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
      " micalg=sha-256; boundary=\"" +
      boundary + "\"\r\n\r\n";
  text += "This is a signed mail (S/MIME).\r\n\r\n--" + boundary + "\r\n" + content;
  text += "\r\n--" + boundary + "\r\n" + signature_part(signature);
  return to_bytes(text + "\r\n--" + boundary + "--\r\n");
}

}  // namespace cmpost
