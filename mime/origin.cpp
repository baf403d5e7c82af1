#include "mime/origin.h"

#include <algorithm>

#include "mime/message_id.h"
#include "mime/text.h"
#include "mime/words.h"

namespace cmpost {

namespace {

constexpr std::size_t kMostReferences = 10;

std::optional<Mailbox> only_mailbox(const Header& header, std::string_view name) {
  const auto value = header.only(name);
  return value ? read_mailbox(unfolded(*value)) : std::nullopt;
}

// The delivering server puts its own on top (RFC 5321 4.4); others below came with the mail.
std::string topmost_return_path(const Header& header) {
  const auto values = header.all("Return-Path");
  return values.empty() ? std::string() : unfolded(values.front());
}

std::string only_message_id(const Header& header) {
  const auto value = header.only("Message-ID");
  const auto id = value ? unfolded(*value) : "";
  return is_message_id(id) ? id : "";
}

// RFC 5322 3.6.4: who has no References but In-Reply-To is continued from that.
std::vector<std::string> read_references(const Header& header) {
  const auto references = header.only("References");
  const auto value = references ? references : header.only("In-Reply-To");
  return value ? read_message_ids(unfolded(*value), kMostReferences) : std::vector<std::string>();
}

// The first word of a value that may go on with parameters or a comment.
std::string keyword(std::string_view value) {
  const auto text = trimmed(value);
  return lower_case(text.substr(0, text.find_first_of(" \t;(\r\n")));
}

bool has_keyword(const Header& header, std::string_view name, bool (*matches)(std::string_view)) {
  return std::ranges::any_of(header.all(name), [&](auto value) { return matches(keyword(value)); });
}

// RFC 3834 5; Precedence is older than every standard and still in use (RFC 2076 3.9).
bool is_automatic(const Header& header) {
  const bool submitted =
      has_keyword(header, "Auto-Submitted", [](std::string_view word) { return word != "no"; });
  const bool bulk = has_keyword(header, "Precedence", [](std::string_view word) {
    return word == "bulk" || word == "list" || word == "junk";
  });
  const bool list = std::ranges::any_of(header.fields, [](const HeaderField& field) {
    return starts_with_word(field.name, "list-");
  });
  return submitted || bulk || list;
}

}  // namespace

IncomingMail read_origin(const Header& header) {
  IncomingMail mail;
  mail.from = only_mailbox(header, "From");
  mail.reply_to = only_mailbox(header, "Reply-To");
  const auto return_path = topmost_return_path(header);
  mail.return_path = read_mailbox(return_path);
  mail.message_id = only_message_id(header);
  mail.references = read_references(header);
  const auto subjects = header.all("Subject");
  if (!subjects.empty()) mail.subject = decode_words(unfolded(subjects.front()));
  for (const auto value : header.all("Authentication-Results")) {
    mail.authentication_results.push_back(unfolded(value));
  }
  mail.automatic = is_automatic(header) || return_path == "<>";
  return mail;
}

}  // namespace cmpost
