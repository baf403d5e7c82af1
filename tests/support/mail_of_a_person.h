// Mails as people and simple devices send them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "mime/write_mail.h"

namespace cmpost {

// write_mail() writes what our program sends; a person's mail has neither of the fields that say
// so.
inline std::string mail_of_a_person(const OutgoingMail& mail) {
  const auto raw = write_mail(mail).value();
  std::string text(text_of(raw));
  for (const std::string field : {"\r\nAuto-Submitted:", "\r\nX-Auto-Response-Suppress:"}) {
    const auto at = text.find(field);
    if (at == std::string::npos) {
      ADD_FAILURE() << "no" << field;
      continue;
    }
    text.erase(at, text.find("\r\n", at + 2) - at);
  }
  return text;
}

}  // namespace cmpost
