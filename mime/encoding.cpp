#include "mime/encoding.h"

#include <algorithm>

#include "mime/fields.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kEncodedLine = 76;  // RFC 2045 6.7 (5), 6.8
constexpr std::string_view kEncodedDigits = "0123456789ABCDEF";

// One line of quoted-printable without its line end; true in `soft` when it goes on in the next.
struct QuotedLine {
  Bytes octets;
  bool soft = false;
};

std::optional<QuotedLine> read_quoted_line(std::string_view line) {
  // RFC 2045 6.7 (3): "any trailing white space on a line must be deleted".
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  QuotedLine read;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '=') {
      if (!is_visible(line[i]) && !is_blank(line[i])) return std::nullopt;
      read.octets.push_back(static_cast<std::uint8_t>(line[i]));
      continue;
    }
    if (i + 1 == line.size()) {
      read.soft = true;
      return read;
    }
    const auto octet = from_hex(line.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    read.octets.push_back(octet->front());
    i += 2;
  }
  return read;
}

bool stands_for_itself(std::string_view line, std::size_t at, bool starts_line) {
  const char c = line[at];
  if (is_blank(c)) return at + 1 < line.size();
  if (starts_line && (c == '.' || line.substr(at).starts_with("From "))) return false;
  return is_visible(c) && c != '=';
}

std::string escaped_octet(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return {'=', kEncodedDigits[octet >> 4], kEncodedDigits[octet & 15]};
}

std::string quoted_line(std::string_view line) {
  std::string text;
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    bool plain = stands_for_itself(line, i, column == 0);
    if (column + (plain ? 1 : 3) > kEncodedLine - 1) {
      text += "=\r\n";
      column = 0;
      plain = stands_for_itself(line, i, true);
    }
    text += plain ? std::string(1, line[i]) : escaped_octet(line[i]);
    column += plain ? 1 : 3;
  }
  return text;
}

}  // namespace

TransferEncoding read_transfer_encoding(std::string_view value) {
  const auto field = read_content_field(value);
  if (!field || !field->parameters.empty()) return TransferEncoding::unknown;
  if (field->value == "base64") return TransferEncoding::base64;
  if (field->value == "quoted-printable") return TransferEncoding::quoted_printable;
  const bool identity =
      field->value == "7bit" || field->value == "8bit" || field->value == "binary";
  return identity ? TransferEncoding::identity : TransferEncoding::unknown;
}

std::optional<Bytes> decode_body(TransferEncoding encoding, ByteView body) {
  switch (encoding) {
    case TransferEncoding::absent:
    case TransferEncoding::identity:
      return to_bytes(body);
    case TransferEncoding::base64:
      return from_base64(text_of(body));
    case TransferEncoding::quoted_printable:
      return from_quoted_printable(text_of(body));
    case TransferEncoding::unknown:
      break;
  }
  return std::nullopt;
}

std::optional<Bytes> from_quoted_printable(std::string_view text) {
  Bytes octets;
  octets.reserve(text.size());
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    std::string_view line_end = end == text.npos ? "" : "\n";
    if (!line_end.empty() && line.ends_with('\r')) {
      line.remove_suffix(1);
      line_end = "\r\n";
    }
    const auto read = read_quoted_line(line);
    if (!read) return std::nullopt;
    append(octets, read->octets);
    if (!read->soft) append(octets, view_of(line_end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return octets;
}

std::string to_quoted_printable(std::string_view text) {
  std::string encoded;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    encoded += quoted_line(text.substr(0, end)) + "\r\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return encoded;
}

std::string to_base64_lines(ByteView octets) {
  const std::string text = to_base64(octets);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += kEncodedLine) {
    lines += text.substr(at, kEncodedLine) + "\r\n";
  }
  return lines;
}

}  // namespace cmpost
