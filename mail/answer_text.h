// What stands in a mail beside the answer, for the engineer at the site who opens it.
#pragma once

#include <string>

namespace cmpost {

// All of it is plain: no text of strangers but names that were made harmless.
struct AnswerFacts {
  std::string ca;            // the instance that answers
  std::string body;          // "ip"
  std::string request;       // the name of the request's file without its ending; may be empty
  std::string request_mail;  // Message-ID of the mail that it came with; may be empty
  std::string tid;           // transactionID in hex; may be empty
  std::string file_name;     // of the attachment
};
// Lines of at most 76 octets where the facts allow it; they end in LF.
std::string answer_text(const AnswerFacts& facts);

}  // namespace cmpost
