#include "mail/wire/pop3_dialogue.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kMostWords = 512;
constexpr std::size_t kMostLines = 1'000'000;
// Of a mail. RFC 5321 allows 1000; what is longer than this is refused when the mail is read.
constexpr std::size_t kLongestLine = std::size_t{64} << 10U;

bool unstuff(std::string& line) {
  if (line == ".") return false;
  if (line.starts_with('.')) line.erase(0, 1);
  return true;
}

}  // namespace

Result<Pop3Dialogue::Reply> Pop3Dialogue::command(std::string_view text) {
  TRY(stream_.send(std::string(text) + "\r\n"));
  ASSIGN_OR_RETURN(const auto line, stream_.read_line(kMostWords));
  for (const auto* const word : {"+OK", "-ERR"}) {
    if (!line.starts_with(word)) continue;
    return Reply{word[0] == '+',
                 printable(std::string_view(line).substr(std::string_view(word).size()))};
  }
  return retry("the POP3 server sent what is no reply: " + printable(line, 80));
}

Result<Pop3Dialogue::Reply> Pop3Dialogue::list(std::string_view text, const OnLine& on_line,
                                               std::size_t longest_line) {
  ASSIGN_OR_RETURN(auto reply, command(text));
  if (!reply.ok) return reply;
  for (std::size_t count = 0; count < kMostLines; ++count) {
    ASSIGN_OR_RETURN(auto line, stream_.read_line(longest_line));
    if (!unstuff(line)) return reply;
    TRY(on_line(line));
  }
  return retry("the POP3 server does not come to an end");
}

Result<std::optional<Pop3Dialogue::Content>> Pop3Dialogue::content(std::string_view text,
                                                                   std::size_t max) {
  ASSIGN_OR_RETURN(const auto reply, command(text));
  if (!reply.ok) return std::nullopt;
  Content content;
  for (;;) {
    ASSIGN_OR_RETURN(auto line, stream_.read_line(std::max(max, kLongestLine)));
    if (!unstuff(line)) return content;
    append(content.octets, view_of(line));
    append(content.octets, view_of("\r\n"));
    content.cut = content.octets.size() > max;
    if (!content.cut) continue;
    content.octets.resize(max);
    return content;
  }
}

}  // namespace cmpost
