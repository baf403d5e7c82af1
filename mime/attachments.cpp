#include "mime/attachments.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "mime/der_frame.h"
#include "mime/text.h"

namespace cmpost {

namespace {

// RFC 2510 5.3 and what was used before and beside it.
constexpr std::array<std::string_view, 4> kMessageTypes = {
    "application/pkixcmp", "application/x-pkixcmp", "application/pkixcmp-poll",
    "application/x-pkixcmp-poll"};

// What mail programs write when they do not know the suffix.
constexpr std::array<std::string_view, 8> kTypesThatSayNothing = {
    "application/octet-stream", "application/x-octet-stream", "binary/octet-stream",
    "application/binary",       "application/unknown",        "application/x-unknown",
    "application/x-download",   "application/force-download"};

constexpr std::array<std::string_view, 3> kMessageSuffixes = {".pki", ".der", ".cmp"};

constexpr std::array<std::string_view, 2> kTnefTypes = {"application/ms-tnef",
                                                        "application/vnd.ms-tnef"};

// Base64 takes 4 octets for 3 and a line end, quoted-printable up to 3 for 1.
constexpr std::size_t kMostEncodedOctets = 4;

bool is_one_of(std::string_view word, auto& words) { return std::ranges::count(words, word) > 0; }

bool has_message_suffix(std::string_view name) {
  return std::ranges::any_of(kMessageSuffixes,
                             [&](auto suffix) { return ends_with_letters(name, suffix); });
}

bool is_tnef(const ScannedPart& part, std::string_view name) {
  return is_one_of(part.type.value, kTnefTypes) || same_letters(name, "winmail.dat");
}

// Some programs write base64 and forget to say so. DER never starts with "M", the base64 of a
// SEQUENCE always does.
std::optional<Bytes> from_unlabelled_base64(std::string_view body) {
  if (!body.starts_with('M')) return std::nullopt;
  auto octets = from_base64(body);
  if (!octets || octets->empty() || octets->front() != kDerSequence) return std::nullopt;
  return octets;
}

std::optional<Bytes> content_of(const ScannedPart& part) {
  const bool as_it_is =
      part.encoding == TransferEncoding::absent || part.encoding == TransferEncoding::identity;
  if (as_it_is) {
    if (auto octets = from_unlabelled_base64(part.body)) return octets;
  }
  auto octets = decode_body(part.encoding, view_of(part.body));
  if (octets && part.encoding != TransferEncoding::base64) drop_line_end_after_der(*octets);
  return octets;
}

bool claims_message(const ScannedPart& part, std::string_view name, const MailLimits& limits,
                    const MailPolicy& policy) {
  if (is_one_of(part.type.value, kMessageTypes)) return true;
  if (!policy.octet_stream || !has_message_suffix(name)) return false;
  if (is_one_of(part.type.value, kTypesThatSayNothing)) return true;
  if (policy.is_message == nullptr) return false;
  if (part.body.size() / kMostEncodedOctets > limits.message) return false;
  const auto content = content_of(part);
  return content && policy.is_message(*content);
}

Result<MailPart> take_message(const ScannedPart& part, std::string name, const MailLimits& limits) {
  const std::string which = "attachment " + part.path + (name.empty() ? "" : " (" + name + ")");
  const auto too_large = [&] {
    return hold(which + " is larger than " + std::to_string(limits.message) + " octets");
  };
  if (part.body.size() / kMostEncodedOctets > limits.message) return too_large();
  auto content = content_of(part);
  if (!content && part.encoding == TransferEncoding::unknown) {
    return hold(which + " has an unknown Content-Transfer-Encoding");
  }
  if (!content) {
    return hold(which + " is damaged: its body is not in its Content-Transfer-Encoding",
                "ask the sender to send it again; a gateway may have changed the mail");
  }
  if (content->empty()) return hold(which + " is empty");
  if (content->size() > limits.message) return too_large();
  return MailPart{part.path, std::move(name), *std::move(content)};
}

}  // namespace

Result<std::vector<MailPart>> take_messages(const std::vector<ScannedPart>& parts,
                                            const MailLimits& limits, const MailPolicy& policy) {
  std::vector<MailPart> messages;
  for (const auto& part : parts) {
    if (part.kind != ScannedPart::Kind::leaf) continue;
    auto name = file_name_of(part.type, part.disposition);
    if (is_tnef(part, name)) {
      return hold(
          "the mail is TNEF (winmail.dat): its attachments are packed in Microsoft's format",
          "the sender must write in plain text or HTML, not in Outlook's Rich Text");
    }
    if (!claims_message(part, name, limits, policy)) continue;
    if (messages.size() == limits.messages) {
      return hold("the mail has more than " + std::to_string(limits.messages) + " PKIMessages");
    }
    ASSIGN_OR_RETURN(auto message, take_message(part, std::move(name), limits));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace cmpost
