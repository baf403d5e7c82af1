#include "mail/answer_mail.h"

#include <algorithm>

#include "mail/answer_text.h"
#include "mail/question_text.h"
#include "mime/message_id.h"
#include "outbox/answer_name.h"
#include "queue/answer_message_id.h"

namespace cmpost {
namespace {

constexpr std::size_t kMaxAnswerReferences = 10;

bool is_plain_name_octet(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '_';
}

std::string plain_name(std::string name) {
  for (char& c : name) c = is_plain_name_octet(c) ? c : '_';
  return name;
}

// RFC 5322 3.6.4: those of the mail that is answered, and its own Message-ID at the end.
std::vector<std::string> references_of(const Route& route) {
  auto references = read_message_ids(route.references, kMaxAnswerReferences);
  if (is_message_id(route.in_reply_to)) {
    std::erase(references, route.in_reply_to);
    references.push_back(route.in_reply_to);
  }
  return references;
}

// The name of a request may be in any script; a file name in a mail is best ASCII.
std::string ascii_stem(const Lease& lease) {
  const auto& name = lease.job.envelope.reply.name;
  auto stem = file_name_part(name.empty() ? lease.job.id.text() : name, 80);
  std::replace_if(
      stem.begin(), stem.end(), [](char c) { return c < 0x21 || c > 0x7e; }, '_');
  return stem;
}

std::string body_of(const Envelope& envelope) {
  return plain_name(envelope.body.empty() ? "answer" : envelope.body);
}

Result<Mailbox> recipient_of(const Lease& lease) {
  const auto& address = lease.job.envelope.reply.address;
  if (address.empty()) return hold("the request named no address that an answer may be sent to");
  if (auto mailbox = read_mailbox(address)) return *std::move(mailbox);
  return hold("'" + printable(address, 80) + "' is not an address that mail can be sent to");
}

}  // namespace

std::string answer_message_id(const MailSettings& settings, const std::string& instance,
                              const JobId& job) {
  return answer_message_id(job, plain_name(instance), settings.domain);
}

namespace {

// What both kinds have in common: all but the thread, the subject and the text.
Result<OutgoingMail> mail_about(const MailSettings& settings, const std::string& instance,
                                const Lease& lease) {
  const auto& envelope = lease.job.envelope;
  const auto from = read_mailbox(settings.from);
  if (!from) return hold("'from' of the channel is not a mail address", "from = \"pki@example\"");
  ASSIGN_OR_RETURN(auto to, recipient_of(lease));
  OutgoingMail mail;
  mail.from = *from;
  mail.from_name = settings.from_name;
  mail.to = std::move(to);
  mail.message_id = answer_message_id(settings, instance, lease.job.id);
  mail.date = lease.arrived;
  mail.file_name = ascii_stem(lease) + "." + body_of(envelope) + ".pki";
  mail.message = lease.job.payload;
  return mail;
}

}  // namespace

Result<OutgoingMail> answer_mail(const MailSettings& settings, const std::string& instance,
                                 const Lease& lease) {
  const auto& envelope = lease.job.envelope;
  ASSIGN_OR_RETURN(auto mail, mail_about(settings, instance, lease));
  if (is_message_id(envelope.reply.in_reply_to)) mail.in_reply_to = envelope.reply.in_reply_to;
  mail.references = references_of(envelope.reply);
  const auto body = body_of(envelope), stem = ascii_stem(lease);
  mail.subject = "CMP " + body + " for " + stem;
  mail.text = answer_text({.ca = instance,
                           .body = body,
                           .request = envelope.reply.name.empty() ? "" : stem,
                           .request_mail = mail.in_reply_to,
                           .tid = plain_name(envelope.tid),
                           .file_name = mail.file_name});
  return mail;
}

Result<OutgoingMail> question_mail(const MailSettings& settings, const std::string& instance,
                                   const Lease& lease) {
  ASSIGN_OR_RETURN(auto mail, mail_about(settings, instance, lease));
  mail.auto_replied = false;
  // Else it would go to the address that failed mails come back to.
  mail.reply_to = mail.from;
  const auto body = body_of(lease.job.envelope);
  const auto tid = plain_name(lease.job.envelope.tid);
  mail.subject = "CMP " + body + " of " + plain_name(instance) + ", transaction " + tid;
  mail.text = question_text(
      {.ra = instance, .body = body, .tid = tid, .file_name = mail.file_name, .from = mail.from});
  return mail;
}

}  // namespace cmpost
