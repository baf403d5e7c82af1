// What stands in a mail beside a question to the CA above, for the person who opens its mailbox.
#pragma once

#include <string>

#include "mime/read_mail.h"

namespace cmpost {

struct QuestionFacts {
  std::string ra;         // the instance that asks
  std::string body;       // "ir"
  std::string tid;        // transactionID in hex
  std::string file_name;  // of the attachment
  Mailbox from;           // where the answer goes
};
// Lines of at most 76 octets where the facts allow it; they end in LF.
std::string question_text(const QuestionFacts& facts);

}  // namespace cmpost
