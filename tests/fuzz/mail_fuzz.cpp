// What the mail channel makes of a mail.
#include "base/result.h"
#include "fuzz.h"
#include "mime/read_mail.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cmpost::ByteView raw(data, size);
  const cmpost::MailLimits limits;
  if (const auto mail = cmpost::read_mail(raw, limits, {})) {
    CHECK(mail->messages.size() <= limits.messages);
    for (const auto& message : mail->messages) {
      CHECK(!message.content.empty() && message.content.size() <= limits.message);
      CHECK(message.name.size() <= 255 && message.name.find('/') == message.name.npos);
    }
    if (mail->from) CHECK(cmpost::read_mailbox(mail->from->text()) == mail->from);
  } else {
    CHECK(!mail.error().what.empty());
  }
  if (const auto reports = cmpost::read_delivery_reports(raw, limits)) CHECK(!reports->empty());
  return 0;
}
