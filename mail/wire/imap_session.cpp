#include "mail/wire/imap_session.h"

#include <algorithm>

#include "base/log.h"
#include "mail/wire/imap_name.h"

namespace cmpost {
namespace {

// RFC 7162, 4: "a client SHOULD limit the length of the command lines it generates to
// approximately 8192 octets".
constexpr std::size_t kSetSize = 500;

std::string words_in_upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

void add_words(std::string_view text, std::set<std::string>& words) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    words.insert(words_in_upper_case(word));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
}

std::vector<std::string> imap_sets(const ImapSession::Uids& uids) {
  std::vector<std::string> sets;
  for (std::size_t at = 0; at < uids.size(); at += kSetSize) {
    const auto end = std::min(at + kSetSize, uids.size());
    const auto* const first = uids.data();
    sets.push_back(imap_sequence_set(ImapSession::Uids(first + at, first + end)));
  }
  return sets;
}

}  // namespace

ImapSession::ImapSession(std::unique_ptr<MailConnection> connection, Duration time_limit)
    : connection_(std::move(connection)), time_limit_(time_limit), dialogue_(*connection_) {}

Result<std::unique_ptr<ImapSession>> ImapSession::open(const MailSettings& settings,
                                                       const std::stop_token& stop) {
  ASSIGN_OR_RETURN(auto connection, MailConnection::to_mailbox(settings, stop));
  std::unique_ptr<ImapSession> session(new ImapSession(std::move(connection), settings.time_limit));
  TRY(session->learn_capabilities());
  TRY(session->learn_namespace());
  TRY(session->select(settings.fetch.path.empty() ? "INBOX" : settings.fetch.path));
  return session;
}

bool ImapSession::alive() {
  if (!connection_->pending()) return true;
  return dialogue_.command("NOOP").has_value();
}

Result<void> ImapSession::learn_capabilities() {
  TRY(dialogue_.demand("CAPABILITY", [this](const ImapResponse& response) -> Result<void> {
    if (response.name == "CAPABILITY") add_words(response.text, capabilities_);
    return {};
  }));
  return {};
}

// Some servers keep everything below "INBOX." and separate by dots.
Result<void> ImapSession::learn_namespace() {
  const bool can = has("NAMESPACE");
  TRY(dialogue_.demand(
      can ? "NAMESPACE" : "LIST \"\" \"\"", [this](const ImapResponse& response) -> Result<void> {
        if (response.name == "NAMESPACE") {
          ASSIGN_OR_RETURN(namespace_, read_imap_namespace(response));
        } else if (response.name == "LIST") {
          ASSIGN_OR_RETURN(namespace_.separator, read_imap_list_separator(response));
        }
        return {};
      }));
  return {};
}

Result<void> ImapSession::note_selection(const ImapResponse& response) {
  if (const auto value = response.code_value("UIDVALIDITY")) {
    uidvalidity_ = read_imap_number(*value).value_or(0);
  }
  if (const auto flags = response.code_value("PERMANENTFLAGS")) {
    keeps_keywords_ = flags->find("\\*") != std::string::npos;
  }
  return {};
}

Result<void> ImapSession::select(const std::string& mailbox) {
  ASSIGN_OR_RETURN(const auto name, imap_mailbox(mailbox));
  ASSIGN_OR_RETURN(const auto reply, dialogue_.command("SELECT " + name, [this](const auto& data) {
    return note_selection(data);
  }));
  if (reply.name != "OK") {
    return hold("the IMAP server does not open " + printable(mailbox) + ": " + words_of(reply));
  }
  if (reply.code_value("READ-ONLY")) {
    return hold("the mailbox " + printable(mailbox) + " cannot be changed",
                "the user needs the rights to move and to flag mails");
  }
  if (uidvalidity_ == 0) {
    return hold("the IMAP server gives the mails in " + printable(mailbox) +
                " no lasting numbers (UIDVALIDITY)");
  }
  return {};
}

Result<ImapSession::Uids> ImapSession::search() {
  std::string criteria = "UNDELETED";
  if (keeps_keywords_) {
    for (const auto keyword : {kTaken, kForeign}) criteria += " UNKEYWORD " + std::string(keyword);
  }
  return search_by(criteria);
}

Result<ImapSession::Uids> ImapSession::search_foreign() {
  return search_by("UNDELETED KEYWORD " + std::string(kForeign));
}

Result<ImapSession::Uids> ImapSession::search_by(const std::string& criteria) {
  Uids uids;
  dialogue_.forget_news();
  TRY(dialogue_.demand("UID SEARCH " + criteria, [&](const ImapResponse& response) -> Result<void> {
    if (response.name != "SEARCH") return {};
    ASSIGN_OR_RETURN(const auto found, read_imap_numbers(response.text));
    uids.insert(uids.end(), found.begin(), found.end());
    return {};
  }));
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  return uids;
}

Result<std::map<std::uint32_t, std::size_t>> ImapSession::sizes(const Uids& uids) {
  std::map<std::uint32_t, std::size_t> sizes;
  const auto note = [&](const ImapResponse& response) -> Result<void> {
    if (response.name != "FETCH") return {};
    ASSIGN_OR_RETURN(const auto fetch, read_imap_fetch(response));
    const bool asked = fetch.uid && std::binary_search(uids.begin(), uids.end(), *fetch.uid);
    if (asked && fetch.size) sizes[*fetch.uid] = *fetch.size;
    return {};
  };
  constexpr std::string_view kItem = " (UID RFC822.SIZE)";
  for (const auto& set : imap_sets(uids)) {
    ASSIGN_OR_RETURN(const auto reply,
                     dialogue_.command("UID FETCH " + set + std::string(kItem), note));
    if (reply.name == "OK") continue;
    // Some mail in it is one that the server cannot look at: it has no size, and the others theirs.
    for (const auto uid : uids) {
      if (sizes.contains(uid)) continue;
      ASSIGN_OR_RETURN(
          const auto one,
          dialogue_.command("UID FETCH " + std::to_string(uid) + std::string(kItem), note));
      if (one.name != "OK") sizes.emplace(uid, 0);
    }
  }
  return sizes;
}

Result<std::optional<Bytes>> ImapSession::body(std::uint32_t uid, std::size_t max) {
  std::optional<Bytes> body;
  TRY(bodies({uid}, max, [&](std::uint32_t, Bytes octets) { body = std::move(octets); }));
  return body;
}

Result<void> ImapSession::bodies(const Uids& uids, std::size_t max, const OnBody& on_body) {
  std::set<std::uint32_t> wanted(uids.begin(), uids.end());
  const auto note = [&](const ImapResponse& response) -> Result<void> {
    if (response.name != "FETCH") return {};
    ASSIGN_OR_RETURN(auto fetch, read_imap_fetch(response));
    if (fetch.uid && fetch.body && wanted.erase(*fetch.uid) == 1) {
      on_body(*fetch.uid, *std::move(fetch.body));
    }
    return {};
  };
  const auto item = " (UID BODY.PEEK[]<0." + std::to_string(max) + ">)";
  for (const auto& set : imap_sets(uids)) {
    // "NO" is how some servers say that a mail has just gone.
    TRY(dialogue_.command("UID FETCH " + set + item, note, max));
  }
  return {};
}

Result<std::string> ImapSession::folder_name(const std::string& folder) const {
  auto name = folder;
  const auto& [prefix, separator] = namespace_;
  if (separator.size() == 1) std::replace(name.begin(), name.end(), '/', separator[0]);
  if (!name.starts_with(prefix)) name = prefix + name;
  return imap_mailbox(name);
}

Result<bool> ImapSession::bring(const std::string& verb, const std::string& set,
                                const std::string& folder) {
  const auto command = "UID " + verb + " " + set + " " + folder;
  ASSIGN_OR_RETURN(auto reply, dialogue_.command(command));
  if (reply.name == "OK") return true;
  // Not every server says TRYCREATE; making a folder that is there does no harm.
  TRY(dialogue_.command("CREATE " + folder));
  TRY(dialogue_.command("SUBSCRIBE " + folder));
  ASSIGN_OR_RETURN(reply, dialogue_.command(command));
  if (reply.name == "OK") return true;
  log::warning("mail.not_moved", {{"folder", folder}, {"reason", words_of(reply)}});
  return false;
}

Result<bool> ImapSession::remove(const std::string& set) {
  ASSIGN_OR_RETURN(const auto reply,
                   dialogue_.command("UID STORE " + set + " +FLAGS.SILENT (\\Deleted)"));
  if (reply.name != "OK") return false;
  // Without UIDPLUS it stays until somebody tidies up; search() does not find it any more.
  if (has("UIDPLUS")) TRY(dialogue_.demand("UID EXPUNGE " + set));
  return true;
}

Result<bool> ImapSession::move(const Uids& uids, const std::string& folder) {
  ASSIGN_OR_RETURN(const auto target, folder_name(folder));
  for (const auto& set : imap_sets(uids)) {
    ASSIGN_OR_RETURN(const bool brought, bring(has("MOVE") ? "MOVE" : "COPY", set, target));
    if (!brought) return false;
    if (has("MOVE")) continue;
    ASSIGN_OR_RETURN(const bool removed, remove(set));
    if (!removed) return false;
  }
  return true;
}

Result<bool> ImapSession::flag(const Uids& uids, const std::string& keyword) {
  if (!keeps_keywords_) return false;
  for (const auto& set : imap_sets(uids)) {
    ASSIGN_OR_RETURN(const auto reply,
                     dialogue_.command("UID STORE " + set + " +FLAGS.SILENT (" + keyword + ")"));
    if (reply.name != "OK") return false;
  }
  return true;
}

Result<void> ImapSession::idle(Duration time_out, const std::stop_token& stop) {
  if (dialogue_.has_news()) return {};
  const Patience patience(time_out, stop);
  connection_->begin(time_out + time_limit_, stop);
  TRY(dialogue_.idle());
  while (!dialogue_.has_news() && connection_->wait(patience.left())) {
    TRY(dialogue_.idle_response());
  }
  connection_->begin(time_limit_, stop);
  return dialogue_.done();
}

}  // namespace cmpost
