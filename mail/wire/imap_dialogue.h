// Commands to an IMAP server and their responses.
#pragma once

#include <functional>
#include <string>

#include "mail/wire/imap_response.h"

namespace cmpost {

// One selected mailbox over a stream that is logged in. After any Error the stream is good for
// nothing: all of them are Recovery::retry. What a server refuses is no Error but a Reply.
class ImapDialogue {
 public:
  // `stream` must outlive the object.
  explicit ImapDialogue(OctetStream& stream) : stream_(stream) {}

  // The tagged response.
  using Reply = ImapResponse;
  using OnData = std::function<Result<void>(const ImapResponse&)>;

  // Sends one command, hands each untagged response to `on_data` and returns the tagged one. A
  // response may hold literals of `literal` octets together.
  Result<Reply> command(std::string_view text, const OnData& on_data = {},
                        std::size_t literal = kSmallLiteral);
  // As command(); a refusal is an Error: what the mailbox cannot do without.
  Result<Reply> demand(std::string_view text, const OnData& on_data = {},
                       std::size_t literal = kSmallLiteral);

  // IDLE (RFC 2177): from idle() on, every response goes to idle_response() until done().
  Result<void> idle();
  Result<void> idle_response();
  Result<void> done();

  // How many mails the mailbox has, and whether more have come since news() was last called.
  std::uint32_t count() const { return count_; }
  bool has_news() const { return news_; }
  void forget_news() { news_ = false; }

 private:
  static constexpr std::size_t kSmallLiteral = std::size_t{64} << 10U;

  Result<ImapResponse> next(std::size_t literal);
  Result<Reply> finish(const OnData& on_data, std::size_t literal);
  void note(const ImapResponse& response);

  OctetStream& stream_;
  std::uint64_t last_tag_ = 0;
  std::string tag_;
  std::uint32_t count_ = 0;
  bool news_ = false;
};

// "NO Mailbox does not exist", for people.
std::string words_of(const ImapResponse& response);

}  // namespace cmpost
