#include "mail/question_text.h"

namespace cmpost {

std::string question_text(const QuestionFacts& facts) {
  return "The registration authority \"" + facts.ra +
         "\" asks the certificate authority.\n\n"
         "  Question:     " +
         facts.body + "\n  Transaction:  " + facts.tid + "\n  Attachment:   " + facts.file_name +
         "\n\n"
         "What to do: nothing, where a program reads this mailbox. Else give the\n"
         "attachment as it is to the program of the certificate authority, and send\n"
         "its answer as an attachment to\n\n  " +
         facts.from.text() +
         "\n\n"
         "The file is protected: the certificate authority notices every change.\n\n"
         "This mail was written by a program. Where the certificate authority is a\n"
         "CMPost, its channel has to name the address above in `senders`.\n";
}

}  // namespace cmpost
