#include "mail/answer_text.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cmpost {
namespace {

struct BodyWords {
  std::string_view body, meaning, what_to_do;
};

constexpr std::string_view kTakeCertificate =
    "It tells the client that made the request about its certificate: either the\n"
    "certificate itself, or the reason why there is none.\n";
constexpr std::string_view kTakeNote = "The client that made the request can read it.\n";

constexpr std::array kBodyWords = {
    BodyWords{"ip", "initialization response", kTakeCertificate},
    BodyWords{"cp", "certification response", kTakeCertificate},
    BodyWords{"kup", "key update response", kTakeCertificate},
    BodyWords{"rp", "revocation response", "It says whether the certificate has been revoked.\n"},
    BodyWords{"genp", "general response", kTakeNote},
    BodyWords{"pkiconf", "confirmation",
              "It ends the exchange: the CA knows that the certificate has arrived.\n"},
    BodyWords{"pollRep", "polling response",
              "The certificate is not ready yet. The client has to ask again later, as it\n"
              "is told in the file.\n"},
    BodyWords{"error", "error message",
              "The request was not granted. The reason is in the file; the client shows it.\n"},
};
constexpr BodyWords kOtherBody = {"", "CMP message", kTakeNote};

const BodyWords& words_for(std::string_view body) {
  const auto found = std::find_if(kBodyWords.begin(), kBodyWords.end(),
                                  [&](const auto& words) { return words.body == body; });
  return found == kBodyWords.end() ? kOtherBody : *found;
}

std::string fact_line(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  auto line = "  " + std::string(name) + ":";
  line.resize(16, ' ');
  return line + value + "\n";
}

}  // namespace

std::string answer_text(const AnswerFacts& facts) {
  const auto& words = words_for(facts.body);
  auto kind = facts.body + " (" + std::string(words.meaning) + ")";
  auto text = "The certificate authority \"" + facts.ca + "\" answers a request.\n\n";
  text += fact_line("Answer", kind);
  text += fact_line("Request", facts.request);
  text += fact_line("Sent in mail", facts.request_mail);
  text += fact_line("Transaction", facts.tid);
  text += fact_line("Attachment", facts.file_name);
  text += "\n" + std::string(words.what_to_do);
  text +=
      "\nWhat to do: save the attachment as it is and bring it to the device or\n"
      "the program that made the request. With the client of OpenSSL, repeat\n"
      "the command that made the request, without -reqout and with\n\n"
      "  openssl cmp ... -rspin " +
      facts.file_name +
      "\n\n"
      "The file is protected: a client notices every change to it. If nobody at\n"
      "your site has asked for this, delete the mail and tell the operator of\n"
      "the CA.\n\n"
      "This mail was written by a program.\n";
  return text;
}

}  // namespace cmpost
