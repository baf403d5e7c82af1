// Mails in a POP3 maildrop.
#pragma once

#include <map>
#include <set>

#include "mail/mail_source.h"
#include "mail/pop3_session.h"

namespace cmpost {

// There are no folders: filing away as done or quarantine deletes a mail, at once or `keep` after
// that. Foreign mails stay. Which mails stay is remembered in memory; after a restart they are
// listed once more, with the same arrival.
//
// The arrival names the account, the mail's UIDL and size, and a digest of its header, since some
// servers give a UIDL to a new mail when the old one is gone. The maildrop is locked only while
// mails are listed, fetched and filed away.
class Pop3Source final : public MailSource {
 public:
  // `steady` measures `keep` and must outlive the object.
  Pop3Source(const MailSettings& settings, const Clock& steady);

  Result<void> connect(const std::stop_token& stop) override;
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override;
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token& stop) override;
  Result<void> file_away(std::span<const MailHandle> mails, MailPlace place,
                         const std::stop_token& stop) override;
  Result<void> wait(Duration time_out, const std::stop_token& stop) override;

 private:
  using Mail = Pop3Session::Mail;

  Result<void> ensure_session(const std::stop_token& stop);
  void leave(const std::stop_token& stop);
  Result<void> remove(const std::vector<std::string>& keys);
  Result<void> remove_expired(const std::stop_token& stop);
  Result<std::vector<MailHandle>> list_now(std::size_t max);
  Result<std::string> digest_of(const Mail& mail, const std::string& key);
  const Mail* find(const std::string& key) const;
  void forget_gone();
  template <typename T>
  Result<T> checked(Result<T> result);

  const MailSettings settings_;
  const Clock& steady_;
  const std::string account_;
  std::unique_ptr<Pop3Session> session_;
  // By key, of mails that are still there.
  std::map<std::string, std::string> digests_;
  std::map<std::string, Time> kept_;  // until when
  std::set<std::string> foreign_;
};

}  // namespace cmpost
