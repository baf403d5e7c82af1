// Single header fields: parameters, file names, addresses, encoded words, and what is written of
// them.
#include "base/result.h"
#include "fuzz.h"
#include "mime/charset.h"
#include "mime/encoding.h"
#include "mime/fields.h"
#include "mime/message_id.h"
#include "mime/words.h"
#include "mime/write_mail.h"

namespace {

void read_as_content_field(std::string_view text) {
  const auto field = cmpost::read_content_field(text);
  if (!field) return;
  const auto name = cmpost::file_name_of(*field, *field);
  CHECK(name.size() <= 255 && cmpost::is_utf8(name));
  CHECK(name.find_first_of("/\\\r\n") == name.npos);
}

void read_as_address(std::string_view text) {
  const auto mailbox = cmpost::read_mailbox(text);
  if (!mailbox) return;
  CHECK(mailbox->text().size() <= 254);
  CHECK(cmpost::read_mailbox(mailbox->text()) == mailbox);
  CHECK(cmpost::read_mailbox("Name <" + mailbox->text() + ">") == mailbox);
}

void read_as_words(std::string_view text) {
  const auto decoded = cmpost::decode_words(text);
  CHECK(cmpost::is_utf8(decoded) && decoded.find_first_of("\r\n") == decoded.npos);
}

void read_as_body(std::string_view text) {
  if (const auto octets = cmpost::from_quoted_printable(text)) CHECK(octets->size() <= text.size());
  const auto encoded = cmpost::to_quoted_printable(text);
  CHECK(cmpost::from_quoted_printable(encoded).has_value());
}

// Whatever the text: the mail is refused, or it is one mail that says what was meant.
void write_into_a_mail(std::string_view text) {
  cmpost::OutgoingMail mail;
  mail.from = {"pki", "ca.example"};
  mail.to = {"depot", "site.example"};
  mail.message_id = "<1@ca.example>";
  mail.subject = mail.from_name = mail.text = text;
  mail.file_name = "a.pki";
  mail.message = {0x30, 0x00};
  const auto raw = cmpost::write_mail(mail);
  if (!raw) return;
  const auto again = cmpost::read_mail(*raw, {}, {});
  CHECK(again.has_value() && again->messages.size() == 1);
  CHECK(again->messages[0].content == mail.message && again->from == mail.from);
  // Nobody sees U+FEFF, and it is read as a blank.
  if (text.find("\xEF\xBB\xBF") == text.npos) CHECK(again->subject == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = cmpost::text_of({data, size});
  read_as_content_field(text);
  read_as_address(text);
  read_as_words(text);
  read_as_body(text);
  if (size <= 4000) write_into_a_mail(text);
  for (const auto& id : cmpost::read_message_ids(text, 10)) CHECK(cmpost::is_message_id(id));
  return 0;
}
