// What a POP3 server may say, to every kind of question.
#include "fuzz.h"
#include "mail/wire/header_digest.h"
#include "mail/wire/pop3_dialogue.h"
#include "tests/mail/text_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cmpost;
  const std::string input(text_of(ByteView(data, size)));
  constexpr std::size_t kLimit = 1000;

  TextStream single(input);
  Pop3Dialogue commands(single);
  while (const auto reply = commands.command("NOOP")) CHECK(reply->words.size() <= 4 * size + 4);

  TextStream lines(input);
  Pop3Dialogue lists(lines);
  HeaderDigest digest;
  const auto add = [&](std::string_view line) -> Result<void> {
    CHECK(line.size() <= kLimit && line.find('\n') == line.npos);
    digest.add(line);
    return {};
  };
  while (lists.list("TOP 1 0", add, kLimit)) {
  }
  CHECK(digest.text().size() == 32);

  TextStream octets(input);
  Pop3Dialogue mails(octets);
  for (;;) {
    const auto mail = mails.content("RETR 1", kLimit);
    if (!mail) break;
    if (!*mail) continue;
    CHECK((*mail)->octets.size() <= kLimit && (!(*mail)->cut || (*mail)->octets.size() == kLimit));
    if ((*mail)->cut) break;
  }
  return 0;
}
