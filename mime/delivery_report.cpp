// Delivery reports: RFC 3464 in the multipart/report of RFC 6522.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "mime/message_id.h"
#include "mime/read_mail.h"
#include "mime/scan.h"
#include "mime/text.h"

namespace cmpost {

namespace {

constexpr std::size_t kMostReports = 100;
constexpr std::size_t kLongestDiagnostic = 500;

using Action = DeliveryReport::Action;
constexpr std::array<std::pair<std::string_view, Action>, 5> kActions = {{
    {"failed", Action::failed},
    {"delayed", Action::delayed},
    {"delivered", Action::delivered},
    {"relayed", Action::relayed},
    {"expanded", Action::expanded},
}};

std::optional<Action> read_action(std::string_view value) {
  const auto text = trimmed(value);
  // RFC 3464 2.3.3 allows a comment behind it.
  const auto word = text.substr(0, text.find_first_of(" \t("));
  for (const auto& [name, action] : kActions) {
    if (same_letters(word, name)) return action;
  }
  return std::nullopt;
}

// RFC 3463 2: class, subject and detail.
std::string read_status(std::string_view value) {
  const auto text = trimmed(value);
  const auto status = text.substr(0, text.find_first_not_of("0123456789."));
  const bool complete = status.size() >= 5 && status[1] == '.' && status.size() <= 9 &&
                        std::ranges::count(status, '.') == 2 && status.back() != '.' &&
                        status.find("..") == status.npos;
  return complete ? std::string(status) : "";
}

// "rfc822; a@b": what stands behind the type.
std::string after_type(std::string_view value) {
  const auto text = unfolded(value);
  const auto semicolon = text.find(';');
  const auto rest = semicolon == text.npos ? text : text.substr(semicolon + 1);
  return printable(trimmed(rest), kLongestDiagnostic);
}

std::string_view value_of(const Header& fields, std::string_view name) {
  const auto values = fields.all(name);
  return values.empty() ? "" : values.front();
}

std::optional<DeliveryReport> read_recipient(const Header& fields) {
  const auto action = read_action(value_of(fields, "Action"));
  if (!action) return std::nullopt;
  DeliveryReport report;
  report.action = *action;
  report.recipient = after_type(value_of(fields, "Final-Recipient"));
  if (report.recipient.empty()) {
    report.recipient = after_type(value_of(fields, "Original-Recipient"));
  }
  report.status = read_status(value_of(fields, "Status"));
  report.diagnostic = after_type(value_of(fields, "Diagnostic-Code"));
  return report;
}

// RFC 3464 2.1: groups of fields with an empty line between them; the first is about the message.
Result<std::vector<DeliveryReport>> read_groups(std::string_view text, const MailLimits& limits) {
  std::vector<DeliveryReport> reports;
  Lines lines(text);
  std::size_t begin = 0;
  while (!lines.at_end()) {
    const auto line = lines.next();
    if (!line.text.empty() && !lines.at_end()) continue;
    const auto group = read_quoted_header(text.substr(begin, line.end - begin), limits);
    begin = line.end;
    if (auto report = read_recipient(group)) reports.push_back(*std::move(report));
    if (reports.size() > kMostReports) return hold("a delivery report names too many recipients");
  }
  return reports;
}

bool is_status(const ScannedPart& part) {
  return part.type.value == "message/delivery-status" ||
         part.type.value == "message/global-delivery-status";
}

bool is_quoted_header(const ScannedPart& part) {
  return part.type.value == "text/rfc822-headers" || part.type.value == "message/global-headers";
}

// The header of the mail that is reported on: whole, or quoted as text.
std::string original_message_id(const std::vector<ScannedPart>& parts, const MailLimits& limits) {
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::string id;
    if (parts[i - 1].kind == ScannedPart::Kind::message && parts[i - 1].depth == 1) {
      id = unfolded(value_of(parts[i].header, "Message-ID"));
    } else if (is_quoted_header(parts[i])) {
      const auto octets = decode_body(parts[i].encoding, view_of(parts[i].body));
      if (!octets) continue;
      id = unfolded(value_of(read_quoted_header(text_of(*octets), limits), "Message-ID"));
    }
    if (is_message_id(id)) return id;
  }
  return "";
}

}  // namespace

Result<std::vector<DeliveryReport>> read_delivery_reports(ByteView raw, const MailLimits& limits) {
  ASSIGN_OR_RETURN(const auto parts, scan(raw, limits));
  if (parts.front().type.value != "multipart/report") return hold("the mail is no delivery report");
  const auto status = std::ranges::find_if(parts, is_status);
  if (status == parts.end()) return hold("a delivery report has no message/delivery-status");
  const auto octets = decode_body(status->encoding, view_of(status->body));
  if (!octets) return hold("the message/delivery-status of a delivery report is damaged");
  ASSIGN_OR_RETURN(auto reports, read_groups(text_of(*octets), limits));
  if (reports.empty()) return hold("a delivery report names no recipient and action");
  const auto id = original_message_id(parts, limits);
  for (auto& report : reports) report.original_message_id = id;
  return reports;
}

}  // namespace cmpost
