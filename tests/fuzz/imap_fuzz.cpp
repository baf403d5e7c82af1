// What an IMAP server may say, with every reader on top of it.
#include "fuzz.h"
#include "mail/wire/imap_dialogue.h"
#include "tests/mail/text_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cmpost;
  const std::string input(text_of(ByteView(data, size)));
  TextStream stream(input);
  while (const auto response =
             read_imap_response(stream, {.line = 1U << 16U, .literal = 1U << 16U})) {
    std::size_t octets = 0;
    for (const auto& literal : response->literals) {
      CHECK(literal.offset <= response->text.size());
      octets += literal.octets.size();
    }
    CHECK(octets <= size);
    if (const auto fetch = read_imap_fetch(*response); fetch && fetch->body) {
      CHECK(fetch->body->size() <= size);
    }
    (void)read_imap_numbers(response->text);
    (void)read_imap_namespace(*response);
    (void)read_imap_list_separator(*response);
    (void)words_of(*response);
  }
  TextStream again(input);
  ImapDialogue dialogue(again);
  while (dialogue.command("NOOP")) {
  }
  return 0;
}
