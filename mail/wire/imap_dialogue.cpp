#include "mail/wire/imap_dialogue.h"

namespace cmpost {
namespace {

// A server that talks without end is stopped before the time limit is.
constexpr std::size_t kMostResponses = 1'000'000;

}  // namespace

std::string words_of(const ImapResponse& response) {
  const auto code = response.code.empty() ? "" : "[" + response.code + "] ";
  return printable(response.name + " " + code + response.text);
}

void ImapDialogue::note(const ImapResponse& response) {
  if (!response.number) return;
  if (response.name == "EXPUNGE" && count_ > 0) --count_;
  if (response.name != "EXISTS") return;
  if (*response.number > count_) news_ = true;
  count_ = *response.number;
}

Result<ImapResponse> ImapDialogue::next(std::size_t literal) {
  ASSIGN_OR_RETURN(auto response, read_imap_response(stream_, {.literal = literal}));
  if (response.kind == ImapResponse::Kind::untagged) {
    if (response.name == "BYE") return retry("the IMAP server said " + words_of(response));
    note(response);
  }
  return response;
}

Result<ImapDialogue::Reply> ImapDialogue::finish(const OnData& on_data, std::size_t literal) {
  for (std::size_t count = 0; count < kMostResponses; ++count) {
    ASSIGN_OR_RETURN(auto response, next(literal));
    if (response.kind == ImapResponse::Kind::tagged) {
      if (response.tag == tag_) return response;
      return retry("the IMAP server answered a command that was not given: " +
                   printable(response.tag, 40));
    }
    if (response.kind == ImapResponse::Kind::continuation) {
      return retry("the IMAP server wants more of a command that was complete");
    }
    if (on_data) TRY(on_data(response));
  }
  return retry("the IMAP server does not come to an end");
}

Result<ImapDialogue::Reply> ImapDialogue::command(std::string_view text, const OnData& on_data,
                                                  std::size_t literal) {
  tag_ = "c" + std::to_string(++last_tag_);
  TRY(stream_.send(tag_ + " " + std::string(text) + "\r\n"));
  return finish(on_data, literal);
}

Result<ImapDialogue::Reply> ImapDialogue::demand(std::string_view text, const OnData& on_data,
                                                 std::size_t literal) {
  ASSIGN_OR_RETURN(auto reply, command(text, on_data, literal));
  if (reply.name == "OK") return reply;
  const auto verb = std::string(text.substr(0, text.find(' ')));
  return retry("the IMAP server refused " + verb + ": " + words_of(reply));
}

Result<void> ImapDialogue::idle() {
  tag_ = "c" + std::to_string(++last_tag_);
  TRY(stream_.send(tag_ + " IDLE\r\n"));
  for (std::size_t count = 0; count < kMostResponses; ++count) {
    ASSIGN_OR_RETURN(const auto response, next(kSmallLiteral));
    if (response.kind == ImapResponse::Kind::continuation) return {};
    if (response.kind == ImapResponse::Kind::tagged) {
      return retry("the IMAP server refused IDLE: " + words_of(response));
    }
  }
  return retry("the IMAP server does not come to an end");
}

Result<void> ImapDialogue::idle_response() {
  ASSIGN_OR_RETURN(const auto response, next(kSmallLiteral));
  if (response.kind == ImapResponse::Kind::untagged) return {};
  return retry("the IMAP server ended IDLE: " + words_of(response));
}

Result<void> ImapDialogue::done() {
  TRY(stream_.send("DONE\r\n"));
  TRY(finish({}, kSmallLiteral));
  return {};
}

}  // namespace cmpost
