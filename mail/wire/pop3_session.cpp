#include "mail/wire/pop3_session.h"

#include <algorithm>

#include "mail/wire/header_digest.h"
#include "mail/wire/imap_response.h"

namespace cmpost {
namespace {

// Sizes are what the server says.
constexpr std::size_t kLineSlack = std::size_t{64} << 10U;

struct Pop3Pair {
  std::uint32_t number = 0;
  std::string value;
};

// "3 120" and "3 whqtswO00WBw418f9t5JxYwZ". RFC 1939, 7: a unique-id consists "of one to 70
// characters in the range 0x21 to 0x7E"; some servers take more.
Result<Pop3Pair> read_pop3_pair(std::string_view line) {
  const auto space = line.find(' ');
  const auto number = read_imap_number(line.substr(0, space));
  if (!number || space == std::string_view::npos) {
    return retry("the POP3 server sent what is no list: " + printable(line, 80));
  }
  auto value = line.substr(space + 1);
  value = value.substr(0, value.find(' '));
  const bool visible =
      std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (value.empty() || !visible) {
    return retry("the POP3 server sent what is no list: " + printable(line, 80));
  }
  return Pop3Pair{*number, std::string(value)};
}

}  // namespace

Pop3Session::Pop3Session(std::unique_ptr<MailConnection> connection, Duration time_limit)
    : connection_(std::move(connection)), time_limit_(time_limit), dialogue_(*connection_) {}

Result<std::unique_ptr<Pop3Session>> Pop3Session::open(const MailSettings& settings,
                                                       const std::stop_token& stop) {
  ASSIGN_OR_RETURN(auto connection, MailConnection::to_mailbox(settings, stop));
  std::unique_ptr<Pop3Session> session(new Pop3Session(std::move(connection), settings.time_limit));
  TRY(session->learn_mails());
  return session;
}

Result<void> Pop3Session::learn_mails() {
  std::map<std::uint32_t, std::size_t> sizes;
  const auto listed = dialogue_.list("LIST", [&](std::string_view line) -> Result<void> {
    ASSIGN_OR_RETURN(const auto pair, read_pop3_pair(line));
    if (const auto size = read_imap_number(pair.value)) sizes[pair.number] = *size;
    return {};
  });
  TRY(listed);
  if (!listed->ok) return retry("the POP3 server refused LIST: " + listed->words);
  const auto named = dialogue_.list("UIDL", [&](std::string_view line) -> Result<void> {
    ASSIGN_OR_RETURN(auto pair, read_pop3_pair(line));
    const auto size = sizes.find(pair.number);
    if (size != sizes.end()) mails_.push_back({pair.number, size->second, std::move(pair.value)});
    return {};
  });
  TRY(named);
  if (named->ok) return {};
  return hold("the POP3 server gives mails no lasting names (UIDL): " + named->words,
              "fetch by IMAP from this server");
}

const Pop3Session::Mail* Pop3Session::find(const std::string& uidl, std::size_t size) const {
  for (const auto& mail : mails_) {
    if (mail.uidl == uidl && mail.size == size) return &mail;
  }
  return nullptr;
}

Result<std::optional<Bytes>> Pop3Session::fetch(const Mail& mail, std::size_t max) {
  ASSIGN_OR_RETURN(auto content, dialogue_.content("RETR " + std::to_string(mail.number), max));
  if (!content) return std::nullopt;
  if (content->cut) usable_ = false;
  return std::move(content->octets);
}

Result<std::string> Pop3Session::header_digest(const Mail& mail) {
  HeaderDigest digest;
  const auto add = [&](std::string_view line) -> Result<void> {
    digest.add(line);
    return {};
  };
  const auto number = std::to_string(mail.number);
  const auto longest = mail.size + kLineSlack;
  ASSIGN_OR_RETURN(auto reply, dialogue_.list("TOP " + number + " 0", add, longest));
  // TOP is optional.
  if (!reply.ok) {
    ASSIGN_OR_RETURN(reply, dialogue_.list("RETR " + number, add, longest));
  }
  return reply.ok ? digest.text() : std::string();
}

Result<void> Pop3Session::remove(const Mail& mail) {
  // A refusal: it is deleted already, or gone.
  TRY(dialogue_.command("DELE " + std::to_string(mail.number)));
  return {};
}

Result<void> Pop3Session::quit() {
  ASSIGN_OR_RETURN(const auto reply, dialogue_.command("QUIT"));
  usable_ = false;
  if (reply.ok) return {};
  return retry("the POP3 server did not delete what it was told to: " + reply.words);
}

}  // namespace cmpost
