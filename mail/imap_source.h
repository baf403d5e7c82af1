// Mails in an IMAP mailbox.
#pragma once

#include <set>

#include "mail/mail_source.h"
#include "mail/wire/imap_session.h"

namespace cmpost {

// Done and quarantined mails are moved into folders of the same account. Where a server refuses
// that, done mails get the keyword $CmpTaken; foreign ones get $CmpForeign in any case. Where a
// server keeps no keywords, foreign mails are remembered in memory: after a restart they are
// fetched and judged once more.
//
// The arrival of a mail names the account, the mailbox, its UIDVALIDITY and the mail's UID. When
// the UIDVALIDITY changes, every mail that lies there is a new arrival.
class ImapSource final : public MailSource {
 public:
  explicit ImapSource(const MailSettings& settings);

  Result<void> connect(const std::stop_token& stop) override;
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override;
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token& stop) override;
  Result<void> fetch_all(std::span<const MailHandle> mails, std::size_t max, const OnMail& on_mail,
                         const std::stop_token& stop) override;
  Result<void> file_away(std::span<const MailHandle> mails, MailPlace place,
                         const std::stop_token& stop) override;
  Result<std::size_t> count_foreign(const std::stop_token& stop) override;
  Result<void> wait(Duration time_out, const std::stop_token& stop) override;

 private:
  Result<void> ensure_session(const std::stop_token& stop);
  void note_uidvalidity();
  MailHandle handle(std::uint32_t uid, std::size_t size) const;
  // The UIDs of those that are from this UIDVALIDITY; the others mean nothing any more.
  ImapSession::Uids uids_of(std::span<const MailHandle> mails) const;
  Result<std::vector<MailHandle>> list_now(std::size_t max);
  Result<void> fetch_some(std::span<const MailHandle> mails, std::size_t max, const OnMail& on_mail,
                          const std::stop_token& stop);
  Result<void> file_now(const ImapSession::Uids& uids, MailPlace place);
  // Drops the session after an Error.
  template <typename T>
  Result<T> checked(Result<T> result);

  const MailSettings settings_;
  const std::string account_;  // the part of an arrival that stays
  std::unique_ptr<ImapSession> session_;
  std::uint32_t uidvalidity_ = 0;       // of the last session
  std::set<std::uint32_t> remembered_;  // UIDs of foreign mails that carry no keyword
};

}  // namespace cmpost
