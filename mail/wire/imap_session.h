// One selected IMAP mailbox on a connection of its own.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "mail/wire/connection.h"
#include "mail/wire/imap_dialogue.h"

namespace cmpost {

// After an Error of Recovery::retry the session is good for nothing. begin() comes before each
// group of calls, see MailConnection.
class ImapSession {
 public:
  using Uids = std::vector<std::uint32_t>;  // ascending

  static Result<std::unique_ptr<ImapSession>> open(const MailSettings& settings,
                                                   const std::stop_token& stop);

  void begin(const std::stop_token& stop) { connection_->begin(time_limit_, stop); }
  // Whether the server is still there; asks it only when there is reason to doubt.
  bool alive();

  std::uint32_t uidvalidity() const { return uidvalidity_; }
  // Whether flags of our own stay with a mail. Some servers, Exchange among them, have none.
  bool keeps_keywords() const { return keeps_keywords_; }
  bool has_idle() const { return has("IDLE"); }

  // The mails that nobody deleted and that carry none of our keywords. Not UNSEEN: a request that a
  // person has read is still a request.
  Result<Uids> search();
  // Those of kForeign. Only where keeps_keywords().
  Result<Uids> search_foreign();
  // RFC822.SIZE of those that are there; 0 where the server refuses to tell.
  Result<std::map<std::uint32_t, std::size_t>> sizes(const Uids& uids);
  // The mail, \Seen or not as before; cut after `max` octets; nullopt when it is not there.
  Result<std::optional<Bytes>> body(std::uint32_t uid, std::size_t max);

  // As body() for each of `uids`; what is not there is left out. Each is given once.
  using OnBody = std::function<void(std::uint32_t uid, Bytes body)>;
  Result<void> bodies(const Uids& uids, std::size_t max, const OnBody& on_body);

  // Moves what is there of `uids` into `folder` (a mailbox name of the settings), which is made
  // when it is missing. Without MOVE: COPY, \Deleted and UID EXPUNGE. Never a plain EXPUNGE, which
  // would remove what other people have marked. False when the server refuses.
  Result<bool> move(const Uids& uids, const std::string& folder);
  // Gives them a keyword; false when the server refuses.
  Result<bool> flag(const Uids& uids, const std::string& keyword);

  // Waits in IDLE until there is one more mail, at most for `time_out` (less than 29 minutes).
  Result<void> idle(Duration time_out, const std::stop_token& stop);

  static constexpr std::string_view kTaken = "$CmpTaken", kForeign = "$CmpForeign";

 private:
  ImapSession(std::unique_ptr<MailConnection> connection, Duration time_limit);

  Result<Uids> search_by(const std::string& criteria);
  Result<void> learn_capabilities();
  Result<void> learn_namespace();
  Result<void> select(const std::string& mailbox);
  Result<void> note_selection(const ImapResponse& response);
  bool has(const std::string& capability) const { return capabilities_.contains(capability); }
  Result<std::string> folder_name(const std::string& folder) const;
  Result<bool> bring(const std::string& verb, const std::string& set, const std::string& folder);
  Result<bool> remove(const std::string& set);

  const std::unique_ptr<MailConnection> connection_;
  const Duration time_limit_;
  ImapDialogue dialogue_;
  std::set<std::string> capabilities_;
  ImapNamespace namespace_;
  std::uint32_t uidvalidity_ = 0;
  bool keeps_keywords_ = false;
};

}  // namespace cmpost
