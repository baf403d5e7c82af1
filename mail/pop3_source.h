// Mails in a POP3 maildrop.
#pragma once

#include <map>
#include <set>

#include "mail/mail_source.h"
#include "mail/taken_mails.h"
#include "mail/wire/pop3_session.h"

namespace cmpost {

// There are no folders: filing away as done or quarantine deletes a mail, at once or `keep` after
// that; until then it is remembered in TakenMails. Foreign mails stay. Those are remembered in
// memory; after a restart they are listed once more, with the same arrival.
//
// The arrival names the account, the mail's UIDL and size, and a digest of its header, since some
// servers give a UIDL to a new mail when the old one is gone. Where the header breaks the
// dialogue again and again, that digest is left out. The maildrop is locked only while mails are
// listed, fetched and filed away.
class Pop3Source final : public MailSource {
 public:
  // `wall` measures `keep` and must outlive the object.
  Pop3Source(const MailSettings& settings, const Clock& wall, TakenMails taken = {});

  Result<void> connect(const std::stop_token& stop) override;
  Result<std::vector<MailHandle>> list(std::size_t max, const std::stop_token& stop) override;
  Result<std::optional<Bytes>> fetch(const MailHandle& mail, std::size_t max,
                                     const std::stop_token& stop) override;
  Result<void> file_away(std::span<const MailHandle> mails, MailPlace place,
                         const std::stop_token& stop) override;
  Result<std::size_t> count_foreign(const std::stop_token&) override { return foreign_.size(); }
  Result<void> wait(Duration time_out, const std::stop_token& stop) override;

 private:
  using Mail = Pop3Session::Mail;

  Result<void> ensure_session(const std::stop_token& stop);
  void leave(const std::stop_token& stop);
  Result<void> remove(const std::vector<std::string>& keys);
  // What one look at the session shows.
  struct Sight {
    std::vector<MailHandle> mails;     // not taken yet
    std::vector<std::string> expired;  // keys of taken ones whose time is over
  };
  Result<Sight> look(std::size_t max, const std::stop_token& stop);
  Result<Sight> look_patiently(std::size_t max, const std::stop_token& stop);
  Result<void> remove_expired(const std::vector<std::string>& keys, const std::stop_token& stop);
  Result<std::string> arrival_of(const Mail& mail, const std::string& key,
                                 const std::stop_token& stop);
  const Mail* find(const std::string& key) const;
  void forget_gone();
  template <typename T>
  Result<T> checked(Result<T> result);

  const MailSettings settings_;
  const Clock& wall_;
  const std::string account_;
  std::unique_ptr<Pop3Session> session_;
  TakenMails taken_;
  // By key, of mails that are still there.
  std::map<std::string, std::string> digests_;
  std::map<std::string, int> breaks_;  // how often a header has broken the dialogue
  std::set<std::string> foreign_;
};

}  // namespace cmpost
