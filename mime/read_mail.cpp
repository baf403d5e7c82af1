#include "mime/read_mail.h"

#include "base/ascii.h"
#include "mime/attachments.h"
#include "mime/origin.h"
#include "mime/scan.h"
#include "mime/second_opinion.h"
#include "mime/text.h"
#include "mime/wrapping.h"

namespace cmpost {

Result<IncomingMail> read_mail(ByteView raw, const MailLimits& limits, const MailPolicy& policy) {
  ASSIGN_OR_RETURN(const auto parts, scan(raw, limits));
  TRY(agree_with_mimetic(raw, parts));
  const auto& whole = parts.front();
  IncomingMail mail = read_origin(whole.header);
  const bool report = whole.type.value == "multipart/report";
  mail.delivery_report =
      report && same_letters(whole.type.parameter("report-type"), "delivery-status");
  mail.automatic = mail.automatic || report;
  mail.unanswerable = mail.unanswerable || report;
  mail.returned = mail.delivery_report || (mail.returned && !report);
  mail.wrapped = wrapping_of(whole);
  ASSIGN_OR_RETURN(mail.messages, take_messages(parts, limits, policy));
  return mail;
}

}  // namespace cmpost
